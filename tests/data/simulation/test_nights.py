"""Whole nights: seeded by person, night and channel, and shaped as a recording."""

import numpy as np
import pytest
from pydantic import ValidationError

from sleepsweep.data.simulation.layout import CHANNELS
from sleepsweep.data.simulation.nights import simulate
from sleepsweep.data.simulation.source import SimulatedSource, SimulatedSpec


def test_subject_k_is_the_same_in_studies_of_any_size() -> None:
    few = list(SimulatedSource(SimulatedSpec(subjects=2), ("Fpz-Cz",)).recordings())
    alone = simulate(0, 1, 1, ("Fpz-Cz",))
    assert [recording.subject for recording in few] == ["SIM000", "SIM001"]
    np.testing.assert_array_equal(few[1].epochs, alone.epochs)
    np.testing.assert_array_equal(few[1].stages, alone.stages)


def test_subjects_nights_and_seeds_differ() -> None:
    axes = [(0, 0, 1), (0, 0, 2), (0, 1, 1), (1, 0, 1)]
    starts = {simulate(*axis, ("Fpz-Cz",)).epochs[0, 0, 0].item() for axis in axes}
    assert len(starts) == 4


def test_a_channel_is_the_same_whichever_others_are_asked_for() -> None:
    three = simulate(0, 0, 1)
    two = simulate(0, 0, 1, (CHANNELS[2], CHANNELS[0]))
    np.testing.assert_array_equal(two.epochs, three.epochs[:, [2, 0]])


def test_what_a_night_looks_like() -> None:
    night = simulate(0, 0, 1)
    assert night.epochs.shape == (len(night.stages), 3, 3000)
    assert night.epochs.dtype == np.float32
    assert night.epochs.flags.c_contiguous
    assert set(night.stages.tolist()) <= {0, 1, 2, 3, 4}
    assert (night.unit, night.channels, night.sfreq) == ("uV", CHANNELS, 100.0)
    assert 600 < len(night.stages) < 3500
    assert (night.epochs.std(axis=(0, 2)) > 5).all()
    assert (night.epochs.std(axis=(0, 2)) < 120).all()


def test_the_fingerprint_tells_what_the_nights_depend_on() -> None:
    spec = SimulatedSpec(subjects=2)
    one, other = SimulatedSource(spec, ("Fpz-Cz",)), SimulatedSource(spec, ("Pz-Oz",))
    assert one.fingerprint() != other.fingerprint()
    assert {"seed", "subjects", "calibration", "generator"} <= set(one.fingerprint())


@pytest.mark.parametrize("wrong", [{"subjects": 0}, {"nights": 10}, {"nights": 0}, {"people": 4}])
def test_a_spec_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        SimulatedSpec.model_validate(wrong)
