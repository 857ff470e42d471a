"""Scores without any effect, with the noise of the published study: what a plan is judged by."""

from dataclasses import dataclass

import numpy as np

from sleepsweep_analysis.simulation.sweeps import EARLY_SD, RERUN_SD, RUN_SD, SPLIT_SD

__all__ = ["PublishedNoise"]

LAST, RISE = 0.60, 0.03
"""Mean score at full length, and how much each rung adds; neither changes what can be told."""


@dataclass(frozen=True)
class PublishedNoise:
    """Macro-F1 in 0–1 of trials that nothing distinguishes, the same for the same `seed`.

    Split, run and rerun have the standard deviations of the published study's logs, and rungs
    before the last one some more.
    """

    seed: int

    def score(self, trial: int, block: int, rung: int, rungs: int) -> float:
        """The score of a trial, by its place in the order, at one of its `rungs`."""
        split = np.random.default_rng([self.seed, 0, block]).normal(0, SPLIT_SD)
        run = np.random.default_rng([self.seed, 1, trial]).normal(0, RUN_SD)
        draws = np.random.default_rng([self.seed, 2, trial, rung])
        noise = draws.normal(0, RERUN_SD) + (rung < rungs - 1) * draws.normal(0, EARLY_SD)
        level = LAST - RISE * (rungs - 1 - rung)
        return float(level + (split + run + noise) / 100)
