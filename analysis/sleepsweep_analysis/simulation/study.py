"""The simulation study: how estimators do in worlds whose truth is known.

Each replicate is a world of its own and one sweep of it. Estimators are the primary model and, for
comparison, least squares with block dummies on three selections of the same rows.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import Comparable, comparable
from sleepsweep_analysis.estimates import effects
from sleepsweep_analysis.estimates.crosschecks import DESIGNED, least_squares
from sleepsweep_analysis.estimates.ranking import DRAWS, holm, verdict
from sleepsweep_analysis.model import build, fit
from sleepsweep_analysis.simulation.sweeps import simulate
from sleepsweep_analysis.simulation.world import World, make_world, without_effects

__all__ = ["SCENARIOS", "Scenario", "replicate", "run", "summary"]

MODEL = "hierarchical, all rungs"
DECIDED = ("better", "worse")


@dataclass(frozen=True)
class Scenario:
    """A kind of world (``effects``, ``none`` or ``speed``) and a size of sweep."""

    name: str
    world: str = "effects"
    trials: int = 100
    blocks: int = 5
    anchors: float = 0.25

    def make(self, seed: int) -> tuple[World, ResultsTable]:
        """The world and the sweep of one replicate."""
        world = make_world(seed)
        if self.world != "effects":
            world = without_effects(world, speed=self.world == "speed")
        # A dozen trials would all be designs: none and singles, and no random set among them.
        designs = self.trials > 20
        return world, simulate(
            world, trials=self.trials, blocks=self.blocks, anchors=self.anchors, seed=seed,
            designs=designs,
        )  # fmt: skip


SCENARIOS = (
    Scenario("12 trials", trials=12, blocks=2),
    Scenario("40 trials", trials=40, blocks=3),
    Scenario("100 trials"),
    Scenario("150 trials", trials=150),
    Scenario("100 trials, no anchors", anchors=0.0),
    Scenario("100 trials, no effects", "none"),
    Scenario("100 trials, speed only", "speed"),
)


def run(scenario: Scenario, seeds: Iterable[int], processes: int = 1) -> pd.DataFrame:
    """`replicate` for each seed, one under the other."""
    work = partial(replicate, scenario)
    if processes == 1:
        return pd.concat(map(work, seeds), ignore_index=True)
    with ProcessPoolExecutor(processes) as pool:
        return pd.concat(pool.map(work, seeds), ignore_index=True)


def replicate(scenario: Scenario, seed: int) -> pd.DataFrame:
    """One replicate: seed, estimator, kind, name, truth, effect, low, high, verdict.

    `kind` is ``augmentation`` or ``category``; the placebo is left out of both.
    """
    world, table = scenario.make(seed)
    with threadpool_limits(limits=1, user_api="blas"):
        chosen = comparable(table)
        posterior = fit(build(chosen))
        draws = posterior.draws(DRAWS, 0)
        found = effects.augmentations(chosen, posterior, draws)
        groups = effects.categories(chosen, posterior, draws, 0)
    parts = [
        _named(found, "augmentation", world.augmentation_truth(), MODEL),
        _named(groups, "category", world.category_truth(), MODEL),
    ]
    for name, rows in _selections(chosen).items():
        frame = _with_verdicts(least_squares(chosen, rows))
        parts.append(_named(frame, "augmentation", world.augmentation_truth(), name))
    frame = pd.concat(parts, ignore_index=True).assign(seed=seed)
    return frame[~frame["name"].isin(["Placebo", "placebo"])]


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """A row an estimator and kind: cover of 95 % intervals, RMSE, rank ρ, family-wise alarms.

    An alarm is a replicate with a verdict that the truth contradicts: better where it is at most 0,
    worse where it is at least 0.
    """
    wrong = ((found["verdict"] == "better") & (found["truth"] <= 0)) | (
        (found["verdict"] == "worse") & (found["truth"] >= 0)
    )
    covered = (found["low"] <= found["truth"]) & (found["truth"] <= found["high"])
    frame = found.assign(
        covered=covered.where(found["low"].notna()),
        square=(found["effect"] - found["truth"]) ** 2,
        wrong=wrong,
    )
    return pd.DataFrame([
        {
            "estimator": estimator, "kind": kind, "cover": float(mine["covered"].mean()),
            "RMSE": float(np.sqrt(mine["square"].mean())), "rank ρ": _rank_correlation(mine),
            "alarms": float(mine.groupby("seed")["wrong"].any().mean()),
            "replicates": int(mine["seed"].nunique()),
        }
        for (estimator, kind), mine in frame.groupby(["estimator", "kind"], sort=False)
    ])  # fmt: skip


def _selections(chosen: Comparable) -> dict[str, pd.DataFrame]:
    last = chosen.rows[chosen.rows["rung"] == chosen.last]
    return {
        "least squares, designed trials": last[last["kind"].isin(DESIGNED)],
        "least squares, finished trials": last,
        "least squares, first rung": chosen.rows[chosen.rows["rung"] == 0],
    }


def _named(frame: pd.DataFrame, kind: str, truth: dict[str, float], estimator: str) -> pd.DataFrame:
    kept = frame[["effect", "low", "high", "verdict"]].assign(name=frame[kind])
    return kept.assign(truth=kept["name"].map(truth), kind=kind, estimator=estimator)


def _with_verdicts(frame: pd.DataFrame) -> pd.DataFrame:
    known = frame.dropna(subset=["p"])
    adjusted = holm(known["p"].to_numpy(dtype=float))
    verdicts = [verdict(*each) for each in zip(known["low"], known["high"], adjusted, strict=True)]
    words = pd.Series(verdicts, index=known.index, dtype=object)
    return frame.assign(verdict=words.reindex(frame.index).fillna("cannot tell"))


def _rank_correlation(mine: pd.DataFrame) -> float:
    """Mean over replicates of Spearman's ρ with the truth; NaN where the truth is one number."""
    if mine.groupby("seed")["truth"].std().max() < 1e-12:
        return float("nan")
    return float(np.mean([
        each["effect"].rank().corr(each["truth"].rank())
        for _, each in mine.dropna(subset=["effect"]).groupby("seed")
    ]))  # fmt: skip
