"""Where the noise is, and how many more runs would see through it."""

import numpy as np
import pandas as pd
from scipy.special import chdtri

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.power import blocks_needed
from sleepsweep_analysis.model import Posterior

__all__ = ["MEANINGS", "components", "runs_needed"]

EFFECTS = (0.5, 1.0, 2.0)
BOUNDS = (0.025, 0.975)

MEANINGS = {
    "block": "between blocks: who is in the split, and the seed",
    "trial": "between trials of one block: luck of the run, and what the model has no term for",
    "rerun": "between repeated runs of one configuration, seed and split",
    "early": "of a trial's early rungs around its last",
    "tilt": "of the tilt that an augmentation gives to early rungs",
    "category": "between category means",
    "within": "between augmentations of one category",
    "pair": "between pairs: how much two augmentations help or hinder each other",
    "size": "of the size curve around a straight line",
    "dose": "of what an augmentation's setting changes from one end of its range to the other",
    "bend": "of the bend of such a curve",
    "covariate": "of what a searched setting of the network changes in an augmentation's effect",
}
"""What each standard deviation is, in print order."""


def components(chosen: Comparable, posterior: Posterior) -> pd.DataFrame:
    """Standard deviations in points with 95 % intervals: component, sd, low, high, meaning."""
    found = {name: (sd, *_interval(posterior, name)) for name, sd in posterior.sds.items()}
    found["block"] = _blocks(posterior)
    found["rerun"] = (chosen.rerun_sd, np.nan, np.nan)
    return pd.DataFrame([
        {"component": name, "sd": sd, "low": low, "high": high, "meaning": meaning}
        for name, meaning in MEANINGS.items()
        for sd, low, high in [found.get(name, (np.nan,) * 3)]
        if np.isfinite(sd)
    ], columns=["component", "sd", "low", "high", "meaning"])  # fmt: skip


def runs_needed(posterior: Posterior, detectable: float) -> pd.DataFrame:
    """For effects of 0.5, 1 and 2 points: all trials needed, and paired blocks for two policies.

    Trials: standard errors fall as 1/√n from the effect that is `detectable` now; infinite where
    more trials like these do not help. Blocks: a paired t test on differences of two trials.
    """
    observed = int(posterior.design.trial.max()) + 1
    sd = np.sqrt(2.0) * posterior.sds["trial"]
    return pd.DataFrame([
        {
            "effect": effect,
            "trials": max(float(observed), float(np.ceil(observed * (detectable / effect) ** 2))),
            "blocks": blocks_needed(effect, sd),
        }
        for effect in EFFECTS
    ])  # fmt: skip


def _interval(posterior: Posterior, name: str) -> tuple[float, float]:
    low, high = (posterior.sd_quantile(name, q) for q in BOUNDS)
    return low, high


def _blocks(posterior: Posterior) -> tuple[float, float, float]:
    """sd of the block offsets, less what their estimates vary by themselves; a χ² interval."""
    layout = posterior.design.layout
    count = len(layout.blocks)
    if count < 2:
        return np.nan, np.nan, np.nan
    rows = np.array([layout.row(block=row) for row in np.eye(count)]) - layout.at_level()
    found = posterior.estimate(rows)
    own = float((found.mean**2).sum()) / (count - 1)
    sd = np.sqrt(max(own - float((found.se**2).mean()), 0.0))
    # chdtri takes the upper tail: the lower bound goes with the larger quantile of χ².
    low, high = np.sqrt((count - 1) / chdtri(count - 1, np.array(BOUNDS)))
    return float(sd), float(sd * low), float(sd * high)
