"""Simulated nights as files, read back by the reader of Sleep-EDF."""

from pathlib import Path

import numpy as np
import pytest

from sleepsweep.data.edf.sleep_edf import sleep_edf_source
from sleepsweep.data.preparation import prepare
from sleepsweep.data.recording import Recording
from sleepsweep.data.simulation import export
from sleepsweep.data.simulation.export import write_nights
from sleepsweep.data.simulation.layout import CHANNELS
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.data.simulation.source import SimulatedSpec
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError

STEPS = 2**16 - 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "nights"
    write_nights(SimulatedSpec(subjects=1, nights=2, seed=3), out)
    return out


def test_files_are_named_as_sleep_edf_names_them(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "SIM0001E0-PSG.edf",
        "SIM0001EC-Hypnogram.edf",
        "SIM0002E0-PSG.edf",
        "SIM0002EC-Hypnogram.edf",
    ]


def test_a_night_comes_back_within_half_a_step(folder: Path) -> None:
    source = sleep_edf_source(folder, derivations=CHANNELS)
    assert len(source) == 2
    for night, found in enumerate(source.recordings(), start=1):
        made = simulate(3, 0, night)
        assert (found.subject, found.night, found.unit) == ("SIM000", night, "uV")
        assert found.sfreq == 100
        np.testing.assert_array_equal(found.stages, made.stages)
        for channel in range(len(CHANNELS)):
            signal = made.epochs[:, channel]
            step = np.ptp(signal) / STEPS
            assert np.abs(found.epochs[:, channel] - signal).max() < 0.51 * step


def test_a_store_of_the_files_is_that_of_the_nights_themselves(
    folder: Path, tmp_path: Path
) -> None:
    simulated = {"subjects": 1, "nights": 2, "seed": 3}
    direct = prepare(DataSpec(simulated=simulated, normalize="none"), tmp_path)
    read = prepare(DataSpec(normalize="none").pointed_at(folder), tmp_path)
    rows = direct.rows(direct.subjects)
    assert (read.subjects, read.nights) == (direct.subjects, direct.nights)
    np.testing.assert_array_equal(read.stages(rows), direct.stages(rows))
    step = max(np.ptp(simulate(3, 0, night, ("Fpz-Cz",)).epochs) for night in (1, 2)) / STEPS
    np.testing.assert_allclose(read.gather(rows), direct.gather(rows), rtol=0, atol=0.51 * step)


def test_what_exists_is_not_overwritten(folder: Path) -> None:
    before = sorted(folder.iterdir())
    with pytest.raises(UserError, match="exists"):
        write_nights(SimulatedSpec(subjects=1), folder)
    assert sorted(folder.iterdir()) == before


def test_an_interrupted_export_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def interrupted(seed: int, subject: int, night: int) -> Recording:
        if subject == 1:
            raise KeyboardInterrupt
        return simulate(seed, subject, night)

    monkeypatch.setattr(export, "simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_nights(
            SimulatedSpec(subjects=2), tmp_path / "nights", lambda *what: told.append(what)
        )
    assert list(tmp_path.iterdir()) == []
    assert told == [(0, 2, "subject 0, night 1"), (1, 2, "subject 1, night 1")]
