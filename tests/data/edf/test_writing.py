"""EDF files as written, read back by MNE itself."""

from datetime import UTC, datetime
from pathlib import Path

import mne
import numpy as np
import pytest

from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13, 5)
CHANNELS = ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal"]


def test_a_recording_comes_back_to_within_half_a_step(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    signals = generator.normal(size=(3, 6000)) * [[20.0], [1e-3], [900.0]] + [[0.0], [0.0], [5e3]]
    steps = write_psg(tmp_path / "a.edf", signals, CHANNELS, 100, START)
    raw = mne.io.read_raw_edf(tmp_path / "a.edf", verbose="ERROR")
    assert raw.ch_names == CHANNELS
    assert raw.info["sfreq"] == 100
    assert raw.info["meas_date"] == START.replace(tzinfo=UTC)
    error = np.abs(raw.get_data(units="uV") - signals).max(axis=1)
    assert (error <= 0.5001 * steps).all()
    assert (error > 0.4 * steps).all()


def test_a_step_is_as_fine_as_the_signal_allows(tmp_path: Path) -> None:
    signals = np.array([[-100.0, 50.0] * 50, [-1.0, 1.0] * 50])
    steps = write_psg(tmp_path / "a.edf", signals, CHANNELS[:2], 100, START)
    assert steps == pytest.approx([150 / 65535, 2 / 65535])


def test_a_constant_signal_can_be_written(tmp_path: Path) -> None:
    write_psg(tmp_path / "a.edf", np.full((1, 100), 7.0), ["C3"], 100, START)
    raw = mne.io.read_raw_edf(tmp_path / "a.edf", verbose="ERROR")
    assert raw.get_data(units="uV") == pytest.approx(7.0, abs=1e-4)


def test_a_hypnogram_has_one_annotation_a_run(tmp_path: Path) -> None:
    write_hypnogram(tmp_path / "a.edf", [0, 0, 1, 2, 3, 3, 4, -1], 30, START)
    found = mne.read_annotations(tmp_path / "a.edf")
    assert list(zip(found.description, found.onset, found.duration, strict=True)) == [
        ("Sleep stage W", 0, 60),
        ("Sleep stage 1", 60, 30),
        ("Sleep stage 2", 90, 30),
        ("Sleep stage 3", 120, 60),
        ("Sleep stage R", 180, 30),
        ("Sleep stage ?", 210, 30),
    ]


def test_other_labels(tmp_path: Path) -> None:
    labels = {0: "Sleep stage W", 3: "Sleep stage N3"}
    write_hypnogram(tmp_path / "a.edf", [0, 3], 20, START, labels)
    found = mne.read_annotations(tmp_path / "a.edf")
    assert found.description.tolist() == ["Sleep stage W", "Sleep stage N3"]
    with pytest.raises(KeyError):
        write_hypnogram(tmp_path / "b.edf", [1], 20, START, labels)


@pytest.mark.parametrize("wrong", [np.zeros(100), np.zeros((2, 100)), np.full((1, 100), np.nan)])
def test_signals_that_do_not_fit(tmp_path: Path, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="do not fit 1 channels"):
        write_psg(tmp_path / "a.edf", wrong, ["C3"], 100, START)


def test_nothing_half_written_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file := tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"a\.edf: cannot be written"):
        write_hypnogram(file / "a.edf", [0], 30, START)
    file.unlink()

    def full(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match=r"No space left on device.*Free some space"):
        write_hypnogram(tmp_path / "a.edf", [0], 30, START)
    assert list(tmp_path.iterdir()) == []
