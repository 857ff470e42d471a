"""Which augmentations help or hinder each other: f(jk) − f(j) − f(k) + f(none)."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.ranking import describe
from sleepsweep_analysis.model import Posterior

__all__ = ["interactions"]

COLUMNS = ["first", "second", "trials_both", "observed", "effect", "low", "high", "se", "p",
           "p_holm", "verdict"]  # fmt: skip


def interactions(
    chosen: Comparable, posterior: Posterior, draws: NDArray[np.float64]
) -> pd.DataFrame:
    """One row a pair of real augmentations in pool order; unobserved ones come from the prior.

    The family that Holm's method adjusts for is that of the pairs that ran together.
    """
    layout = posterior.design.layout
    if not layout.pairs:
        return pd.DataFrame(columns=COLUMNS)
    both = [_together(chosen, pair) for pair in layout.pairs]
    frame = pd.DataFrame({
        "first": [layout.pool[j] for j, _ in layout.pairs],
        "second": [layout.pool[k] for _, k in layout.pairs],
        "trials_both": both,
        "observed": [count > 0 for count in both],
    })  # fmt: skip
    rows = np.array([layout.together(pair) for pair in layout.pairs])
    seen = frame["observed"].to_numpy()
    parts = [
        describe(posterior, rows[m], draws).set_axis(np.flatnonzero(m))
        for m in (seen, ~seen)
        if m.any()
    ]
    found = pd.concat(parts).sort_index()
    found.loc[~seen, ["p", "p_holm"]] = np.nan
    found.loc[~seen, "verdict"] = "cannot tell"
    return pd.concat([frame, found], axis=1)[COLUMNS]


def _together(chosen: Comparable, pair: tuple[int, int]) -> int:
    first, second = (chosen.rows[chosen.switches[j]] for j in pair)
    return int(chosen.rows.loc[first & second, "trial"].nunique())
