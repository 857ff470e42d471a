"""Real recordings: UCDDB as a folder of npz, messy as it is."""

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from sleepsweep.data.npz import npz_files, read_npz
from sleepsweep.data.preparation import prepare
from sleepsweep.data.recording import drop_unusable, resampled
from sleepsweep.data.source import DataSpec

FLAT = {"ucddb005": 4, "ucddb006": 19, "ucddb008": 35, "ucddb015": 14, "ucddb021": 8}


@pytest.fixture
def ucddb(shared_data: Path) -> Path:
    return shared_data / "ucddb"


def test_the_flat_epochs_and_only_they_are_dropped(ucddb: Path, tmp_path: Path) -> None:
    store = prepare(DataSpec().pointed_at(ucddb), tmp_path)
    rows = store.summary()
    assert len(rows) == 18
    assert {row.subject: row.dropped["flat"] for row in rows if row.dropped["flat"]} == FLAT
    assert sum(sum(row.dropped.values()) for row in rows) == sum(FLAT.values())
    whole_night = next(row for row in rows if row.subject == "ucddb018")
    assert whole_night.epochs == {"W": 328, "N1": 58, "N2": 280, "N3": 137, "R": 19}
    assert (store.sfreq, store.gather([0]).shape) == (100.0, (1, 1, 3000))


@pytest.mark.parametrize("name", ["ucddb018.npz", "ucddb006.npz"])
def test_resampling_keeps_the_spectrum_below_30_hz(ucddb: Path, name: str) -> None:
    clean, _ = drop_unusable(read_npz(ucddb / name, 30))
    found = resampled(clean, 100)
    assert found.epochs.shape[1:] == (1, 3000)
    before_hz, before = welch(clean.epochs[:, 0], 128, nperseg=512)
    after_hz, after = welch(found.epochs[:, 0], 100, nperseg=400)
    below = slice(1, int(np.searchsorted(before_hz, 30)))
    np.testing.assert_allclose(before_hz[below], after_hz[below])
    ratio = after[:, below].mean(axis=0) / before[:, below].mean(axis=0)
    np.testing.assert_allclose(ratio, 1, atol=0.01)


def test_every_file_is_read_as_it_is(ucddb: Path) -> None:
    for path in npz_files(ucddb):
        recording = read_npz(path, 30)
        assert recording.subject == path.stem
        assert (recording.sfreq, recording.epoch_s) == (128.0, 30.0)
        assert (np.diff(recording.positions) > 0).all()
