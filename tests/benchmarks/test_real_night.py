"""The proof on a real night: the night as written is the night as read, and scores are right."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import real_night
from sleepsweep.data.edf.hypnogram_files import read_annotations
from sleepsweep.data.edf.signals import read_edf


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A folder with one recording of nine epochs, of which two are missing."""
    draw, places = np.random.default_rng(0), [0, 1, 2, 4, 5, 6, 8]
    np.savez(
        tmp_path / f"{real_night.NIGHT}.npz", x=draw.normal(size=(7, 3840)).astype(np.float32),
        y=np.array([0, 1, 2, 3, 4, 0, 2]), fs=128.0, ch_label="EEG", epoch=np.array(places),
    )  # fmt: skip
    return tmp_path


def test_the_written_night_is_that_of_the_file(real: Path, tmp_path: Path) -> None:
    edf, hypnogram, stages = real_night.write_edf(real, tmp_path / "out")
    assert stages.tolist() == [0, 1, 2, -1, 3, 4, 0, -1, 2]
    found = read_edf(edf, ["C3-A2"], 30)
    samples = np.load(real / f"{real_night.NIGHT}.npz")["x"]
    assert found.sfreq == 128
    assert found.epochs[[0, 1, 2, 4, 5, 6, 8], 0] == pytest.approx(samples, abs=1e-3)
    assert np.ptp(found.epochs[[3, 7]]) < 1e-3
    scored = read_annotations(hypnogram, {}, 30)
    assert np.array_equal(scored.on(30, 270)[1], stages)


def test_scores_are_of_epochs_that_both_know() -> None:
    sure = np.eye(5)
    shares = np.vstack([sure[0], sure[2], [0.1, 0.0, 0.7, 0.2, 0.0], sure[3], np.full(5, np.nan)])
    found = real_night.scores(shares, np.array([0, -1, 3, 0, 3], dtype=np.int8))
    # W as W, N3 as N2 (of W and N3 rather N3), W as N3.
    assert (found["epochs"], found["W or N3: epochs"]) == (3, 3)
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["W or N3: accuracy"] == pytest.approx(2 / 3)


def test_it_knows_no_other_night_of_the_one_that_it_stages(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_night, "SUBJECTS", 1)
    other = real / "ucddb002.npz"
    other.write_bytes((real / f"{real_night.NIGHT}.npz").read_bytes())
    (tmp_path / "train").mkdir()
    real_night.write_training_folder(real, tmp_path / "train")
    names = sorted(path.name for path in (tmp_path / "train").iterdir())
    assert names == ["simulated-SIM000.npz", "ucddb002.npz"]
