"""Sleep-EDF: pairing by name, subjects and nights, and a night that comes back as written."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sleepsweep.data.edf.sleep_edf import holds_sleep_edf, sleep_edf_source
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13)
STAGES = np.array([0, 0, 1, 2, -1, 3, 4, 0])
CHANNELS = ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal"]


def write_night(folder: Path, name: str = "SC4001E0", scorer: str = "C", late_h: float = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(list(name.encode()))
    signals = generator.normal(0, 20, (3, 3000 * len(STAGES)))
    write_psg(folder / f"{name}-PSG.edf", signals, CHANNELS, 100, START)
    scored = folder / f"{name[:-1]}{scorer}-Hypnogram.edf"
    write_hypnogram(scored, STAGES, 30, START + timedelta(hours=late_h))


def test_a_night_comes_back_to_within_the_step(tmp_path: Path) -> None:
    signals = np.random.default_rng(0).normal(0, 20, (3, 3000 * len(STAGES)))
    write_night(tmp_path)
    steps = write_psg(tmp_path / "SC4001E0-PSG.edf", signals, CHANNELS, 100, START)
    (recording,) = sleep_edf_source(tmp_path, derivations=tuple(CHANNELS)).recordings()
    assert recording.stages.tolist() == STAGES.tolist()
    assert recording.channels == ("Fpz-Cz", "Pz-Oz", "EOG horizontal")
    assert (recording.unit, recording.sfreq, recording.epoch_s) == ("uV", 100, 30)
    back = recording.epochs.transpose(1, 0, 2).reshape(3, -1)
    assert (np.abs(back - signals).max(axis=1) <= steps).all()


def test_the_habit_is_one_derivation(tmp_path: Path) -> None:
    write_night(tmp_path)
    (recording,) = sleep_edf_source(tmp_path).recordings()
    assert recording.channels == ("Fpz-Cz",)


def test_the_tree_as_physionet_arranges_it(tmp_path: Path) -> None:
    write_night(tmp_path / "sleep-cassette", "SC4012E0", "C")
    write_night(tmp_path / "sleep-cassette", "SC4011E0", "H")
    write_night(tmp_path / "sleep-telemetry", "ST7011J0", "P")
    (tmp_path / "sleep-cassette" / "._SC4011E0-PSG.edf").write_bytes(b"a companion")
    people = [(r.subject, r.night) for r in sleep_edf_source(tmp_path).recordings()]
    assert people == [("SC401", 1), ("SC401", 2), ("ST701", 1)]


def test_a_missing_partner(tmp_path: Path) -> None:
    write_night(tmp_path)
    (tmp_path / "SC4001EC-Hypnogram.edf").unlink()
    with pytest.raises(
        UserError, match=r"SC4001E0-PSG\.edf: has no hypnogram: nothing fits .*001E"
    ):
        sleep_edf_source(tmp_path).recordings()


def test_two_partners(tmp_path: Path) -> None:
    write_night(tmp_path)
    write_night(tmp_path, scorer="P")
    with pytest.raises(UserError, match=r"has 2 hypnograms: SC4001EC-.*, SC4001EP-Hyp"):
        sleep_edf_source(tmp_path).recordings()


def test_one_night_twice(tmp_path: Path) -> None:
    write_night(tmp_path / "a")
    write_night(tmp_path / "b")
    with pytest.raises(UserError, match="are both night 1 of SC400"):
        sleep_edf_source(tmp_path).recordings()


def test_a_name_that_is_not_sleep_edfs(tmp_path: Path) -> None:
    write_night(tmp_path)
    (tmp_path / "SC4001E0-PSG.edf").rename(tmp_path / "anna-PSG.edf")
    with pytest.raises(UserError, match=r"'anna-PSG\.edf' does not tell who slept"):
        sleep_edf_source(tmp_path).recordings()


def test_the_hypnogram_of_another_night(tmp_path: Path) -> None:
    write_night(tmp_path, late_h=24)
    message = "starts 1989-04-25 16:13:00, the recording 1989-04-24 16:13:00"
    with pytest.raises(UserError, match=f"SC4001EC-Hypnogram.edf: is not the hypno.*{message}"):
        list(sleep_edf_source(tmp_path).recordings())


def test_a_genuine_hypnogram_runs_past_the_recording(tmp_path: Path, shared_data: Path) -> None:
    genuine = shared_data / "sleep-edf" / "hypnograms" / "SC4001EC-Hypnogram.edf"
    (tmp_path / genuine.name).write_bytes(genuine.read_bytes())
    signal = np.random.default_rng(0).normal(0, 20, (1, 50 * (79_500 - 10)))
    write_psg(tmp_path / "SC4001E0-PSG.edf", signal, CHANNELS[:1], 50, START)
    (recording,) = sleep_edf_source(tmp_path).recordings()
    assert np.bincount(recording.stages)[1:].tolist() == [58, 250, 220, 125]
    assert len(recording.epochs) == 79_500 // 30 - 1


def test_holds_sleep_edf(tmp_path: Path) -> None:
    assert not holds_sleep_edf(tmp_path)
    write_night(tmp_path / "sleep-cassette")
    assert holds_sleep_edf(tmp_path)
    assert not holds_sleep_edf(tmp_path / "nowhere")
