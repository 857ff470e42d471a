"""A hundred trials through the real engine, on a trainable that costs nothing and has known worth.

What the analysis needs of an adaptive search is looked at in the table alone: anchors are drawn by
the design and run to the end, trials are compared within a block and a bracket, and each decision
follows from what the table holds.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ray import cloudpickle
from scipy.stats import chisquare

from sleepsweep.data.store import Store
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import make_plan, read_table
from sleepsweep.rayenv import set_ray
from sleepsweep.seeds import numpy_generator
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trainable import Metrics
from sleepsweep.trial import TrialSpec

BLOCK_GAPS = (0, 25, 50)
"""Hits in a hundred that a block adds: far more than any augmentation does."""

EFFECTS = {"RandomDCShift": -6, "SignFlip": 8, "TailoredMixup": 4, "Permutation": 0, "Placebo": 0}
SLOW = pytest.mark.slow
SCHEDULERS = ["asha", *(pytest.param(name, marks=SLOW) for name in ("hyperband", "median"))]

COLLAPSES = {"Permutation", "SignFlip", "RandomDCShift"}


def planted(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu",
) -> Iterator[Metrics]:  # fmt: skip
    """Yield rungs of a planted score: block, augmentations, steps, and a little noise."""
    names = {member.name for member in trial.policy}
    noise = numpy_generator("planted", trial=trial.id).normal(0, 2, size=len(trial.rungs))
    for rung, step in enumerate(trial.rungs):
        collapsed = names == COLLAPSES
        hits = 20 + BLOCK_GAPS[trial.block] + sum(EFFECTS[name] for name in names)
        hits = 0 if collapsed else int(np.clip(hits + 2 * rung + noise[rung], 1, 99))
        # Two stages of a hundred epochs each; of a collapsed trial all are staged as the first.
        matrix = np.zeros((5, 5), dtype=int)
        matrix[0, 0], matrix[2, 2], matrix[2, 0] = 100, hits, 100 - hits
        yield Metrics(
            rung=rung, step=step, loss=1.0, collapsed=collapsed, time_s=float(step),
            confusions={trial.validation[0]: matrix.tolist()},
        )  # fmt: skip
        if collapsed:
            return


@pytest.fixture(scope="module")
def run_planted(
    _cache: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[SweepSpec], pd.DataFrame]:
    """Run a sweep of the planted trainable on Ray, and return its table of trials."""
    set_ray()
    from sleepsweep.sweep import run_sweep

    # Workers cannot import a test by its name.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])

    def run(spec: SweepSpec) -> pd.DataFrame:
        plan = make_plan(spec)
        folder = SweepFolder(tmp_path_factory.mktemp("honest") / "sweep")
        folder.begin(plan.manifest(), fresh=False)
        assert run_sweep(plan, folder, [folder], planted)
        table = read_table(folder.path)
        assert json.loads(folder.manifest_path.read_text())["study"]["planned_trials"] == (
            table.trials["trial"].nunique()
        )
        return table.trials

    return run


def space_of(**changes: Any) -> SweepSpec:
    pool = {name: {"p": {"uniform": [0.3, 1.0]}} for name in EFFECTS if name != "Placebo"}
    tree = {
        "name": "planted",
        "data": {"simulated": {"subjects": 5}},
        "split": {"blocks": 3, "test": 0.2, "validation": 0.25},
        "pretrain": {"batch_size": 16, "steps": 9},
        "augmentations": {"size": [1, 4], "pool": pool},
        "search": {
            "trials": 100,
            "anchors": 0.3,
            "designs": ["none"],
            "sampler": "tpe",
            "baselines": False,
        },
        "scheduler": {"name": "asha", "grace_steps": 1, "factor": 3},
        "resources": {"concurrent": 2},
    }
    return SweepSpec.model_validate({**tree, **changes})


@pytest.fixture(scope="module", params=SCHEDULERS)
def trials(request: Any, run_planted: Callable[[SweepSpec], pd.DataFrame]) -> pd.DataFrame:
    """The table of a sweep under each scheduler."""
    return run_planted(space_of(scheduler={"name": request.param, "grace_steps": 1, "factor": 3}))


def test_anchors_are_uniform_and_run_to_the_end(trials: pd.DataFrame) -> None:
    last = trials[trials["last"]]
    anchors = last[last["kind"] == "anchor"]
    assert len(anchors) == 30
    assert set(anchors["decision"]) <= {"done", "collapsed"}
    assert (
        chisquare(anchors["size"].value_counts().reindex(range(1, 5), fill_value=0)).pvalue > 0.05
    )
    members = anchors[[f"on.{name}" for name in EFFECTS]].sum()
    assert chisquare(members).pvalue > 0.05
    assert chisquare(anchors["block"].value_counts()).pvalue > 0.05
    # The search is no uniform draw: its later trials hold more of what helps, though a block adds
    # more than that does. Which of them it finds first depends on which trials end first.
    searched = last[last["kind"] == "search"].sort_values("order")
    late = searched.tail(35)
    assert planted_hits(late) > planted_hits(anchors) + 2


def planted_hits(trials: pd.DataFrame) -> float:
    """The mean of what the members of these trials' policies add."""
    return float(sum(hits * trials[f"on.{name}"].mean() for name, hits in EFFECTS.items()))


def test_every_trial_has_its_order_block_bracket_and_decisions(trials: pd.DataFrame) -> None:
    whole = trials.groupby("trial")
    assert sorted(whole["order"].first()) == list(range(103))
    assert whole[["order", "kind", "block", "bracket"]].nunique().eq(1).all().all()
    for _, rows in whole:
        assert list(rows["rung"]) == list(range(len(rows)))
        *before, ended = rows["decision"]
        assert set(before) <= {"continue"}
        assert ended in (("done",) if len(rows) == 3 else ("stop", "collapsed"))
    stopped = trials[trials["decision"] == "stop"]
    assert len(stopped) > 5
    assert set(stopped["kind"]) == {"search"}
    assert Counter(trials["stop_rule"]).keys() <= {"asha", "hyperband", "median"}


def test_no_block_is_stopped_for_being_a_hard_one(trials: pd.DataFrame) -> None:
    # Compared across blocks the first, 50 hits behind the last, would hardly reach its end.
    searched = trials[trials["last"] & (trials["kind"] == "search")]
    done = (searched["decision"] == "done").groupby(searched["block"]).sum()
    assert done.reindex(range(3), fill_value=0).min() >= 2
    stopped = trials[trials["decision"] == "stop"]
    assert set(stopped["block"]) == {0, 1, 2}


def test_each_stop_follows_from_earlier_results_of_its_own_block_and_bracket(
    trials: pd.DataFrame,
) -> None:
    """A stopped trial was beaten at its rung by one of its block, and of its bracket."""
    rule = trials["stop_rule"].iloc[0]
    for row in trials[trials["decision"] == "stop"].itertuples():
        rivals = trials[
            (trials["block"] == row.block)
            & (trials["rung"] == row.rung)
            & (trials["trial"] != row.trial)
            & ((rule == "median") | (trials["bracket"] == row.bracket))
        ]
        assert (rivals["macro_f1"] > row.macro_f1).any()
        if rule == "hyperband":
            assert row.rung >= row.bracket
    if rule != "hyperband":
        assert set(trials["bracket"]) == {0}
    else:
        assert set(trials["bracket"]) == {0, 1, 2}
        assert "stop" not in set(trials[trials["bracket"] == 2]["decision"])


def test_a_collapsed_trial_ends_at_its_first_rung_scored_at_chance(trials: pd.DataFrame) -> None:
    columns = [f"on.{name}" for name in EFFECTS]
    like = (trials[columns] == [f.removeprefix("on.") in COLLAPSES for f in columns]).all(axis=1)
    collapsed = trials[trials["decision"] == "collapsed"]
    assert len(collapsed) == like.sum()
    assert collapsed["last"].all()
    assert (collapsed["rung"] == 0).all()
    # One of two stages is always said: F1 of 2/3 and 0.
    assert np.allclose(collapsed["macro_f1"], 1 / 3)
