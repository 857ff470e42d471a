"""The benchmarks of probes: what is computed from what is timed, and subsets of epochs."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import probe, probed_epochs
from sleepsweep.learn.probespec import ProbeSpec
from sleepsweep.plan import Plan
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec


def test_a_share_is_that_of_the_whole_probe() -> None:
    rung = {"steps": 250, "epochs": 21_250, "training": 100.0, "embedding": 7.0, "fit": 1.0,
            "share": 0.08}  # fmt: skip
    text = probe.markdown({"quickstart": [rung], "screen": [rung]})
    assert "| quickstart | 250 | 21,250 | 100.0 | 7.00 | 1.00 | 8.0% |" in text
    assert "| aug_ablation, screen, 100 subjects | 250 |" in text


def test_the_full_study_reads_a_part_of_the_nights_of_its_85_subjects() -> None:
    spec = read_study(SweepSpec, probe.STUDY, preset="screen")
    each = spec.probe.epochs_per_subject
    assert each is not None
    assert probe.epochs_read(spec, 100) == (68 * each, 17 * each)
    everything = spec.model_copy(update={"probe": ProbeSpec(label_fraction=0.5)})
    assert probe.epochs_read(everything, 100) == (34_000, 17_000)


@pytest.mark.parametrize(
    ("path", "preset", "people"),
    [
        (probe.QUICKSTART, None, 10), (probe.STUDY, "smoke", 20), (probe.STUDY, "laptop", 20),
        (probe.STUDY, "screen", 100), (probe.STUDY, "paper", 100),
    ],
)  # fmt: skip
def test_probes_read_half_as_many_epochs_as_the_training_before_them_at_most(
    path: Path, preset: str | None, people: int
) -> None:
    # On a CPU an epoch embedded takes a fifth of one trained on; the fit takes a little, too.
    spec = read_study(SweepSpec, path, preset=preset)
    trained_on = spec.pretrain.batch_size * min(np.diff(spec.rungs, prepend=0))
    assert sum(probe.epochs_read(spec, people)) <= trained_on / 2


def test_a_fit_on_more_epochs_than_there_are_repeats_them(plan: Plan) -> None:
    (trial,) = probe.timed(plan, 1)
    features = trial.features()
    assert len(features) == len(trial.fitted) == 40 * len(trial.trial.train)
    assert trial.read == len(trial.fitted) + 40 * len(trial.trial.validation)
    assert trial.fit(features, 2 * len(features) + 1) > 0


def test_each_rung_of_a_trial_is_timed_and_taken_apart(plan: Plan) -> None:
    (trial,) = probe.timed(plan, 1)
    rungs = trial.rungs()
    assert tuple(np.cumsum([rung["steps"] for rung in rungs])) == plan.rungs
    assert trial.run.pretraining.step == plan.rungs[-1]
    for rung in rungs:
        assert rung["epochs"] == trial.read
        assert rung["share"] * rung["training"] == pytest.approx(rung["embedding"] + rung["fit"])
        assert min(rung["training"], rung["fit"]) > 0


@pytest.mark.parametrize("start", [0.0, 0.5, 0.999])
def test_a_subset_is_spread_over_the_night(start: float) -> None:
    rows = np.arange(1000, 1107)
    chosen = probed_epochs.spread(rows, 25, start)
    assert len(set(chosen)) == 25
    assert set(chosen) <= set(rows)
    assert set(np.diff(chosen)) == {4, 5}
    assert np.array_equal(probed_epochs.spread(rows, 107, start), rows)


def test_what_all_encoders_share_is_no_scatter_of_their_difference() -> None:
    draws = np.random.default_rng(0)
    shared, own = 3 * draws.normal(size=(4000, 1)), draws.normal(size=(4000, 3))
    of_score, of_difference = probed_epochs.scatter(shared + own + np.array([50.0, 60.0, 55.0]))
    assert of_score == pytest.approx(np.sqrt(9 + 1), rel=0.05)
    assert of_difference == pytest.approx(np.sqrt(2), rel=0.05)


def test_few_epochs_scatter_and_all_of_them_change_nothing(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable, split = probed_epochs.trained(plan, 2, 1), plan.space.blocks[0].split
    people = split.train[:1], split.validation
    few = probed_epochs.of_subsets(readable, *people, 20, 3)
    assert few["of_score"] > 0
    assert (few["train"], few["validation"], few["epochs"]) == (1, 1, 20)
    monkeypatch.setattr(probed_epochs, "spread", lambda rows, *_: rows)
    every = probed_epochs.of_subsets(readable, *people, 20, 2)
    assert every["from_all"] == every["of_score"] == every["of_difference"] == 0.0
