"""The few numbers and words of an analysis by which sweeps are sorted and compared.

One place: MLflow's metrics and tags, and every other short form of the results, read it.
"""

import numpy as np
import pandas as pd

from sleepsweep_analysis.comparable import PLACEBO
from sleepsweep_analysis.estimates.ranking import EQUAL
from sleepsweep_analysis.study import Analysis

__all__ = ["key_results"]

PLAUSIBLE = 0.05
REFUSED = "refused"


def key_results(analysis: Analysis) -> dict[str, float | str]:
    """The key results of `analysis`: finite numbers are metrics (points, counts), the rest words.

    ``best_policy`` is the first of the confirmed policies, or else of the leaderboard, and
    ``best_policy_confirmed`` says which; what is not known is left out.
    ``top_category`` is the real category of the largest effect, with its interval and verdict;
    ``size_verdict`` the sizes that may be best, or why none is named; ``warnings_red`` and
    ``warnings_amber`` count the lights.
    """
    levels = [check.level for check in analysis.checks]
    found: dict[str, float | str] = {
        "trials": float(analysis.chosen.n_trials),
        "blocks": float(analysis.chosen.rows["block"].nunique()),
        **_best(analysis),
        **_top(analysis),
        "size_verdict": _size(analysis),
        "warnings_red": float(levels.count("red")),
        "warnings_amber": float(levels.count("amber")),
        "refused": ", ".join(analysis.refused) or "nothing",
    }
    return {key: value for key, value in found.items() if _said(value)}


def _said(value: float | str) -> bool:
    return bool(value) if isinstance(value, str) else bool(np.isfinite(value))


def _best(analysis: Analysis) -> dict[str, float | str]:
    confirmed = not analysis.confirmation.empty
    frame = analysis.confirmation if confirmed else analysis.leaderboard
    score = "score" if confirmed else "expected"
    if frame.empty:
        return {}
    first = frame.sort_values("rank").iloc[0]
    return {
        "best_policy": str(first["policy"]),
        "best_policy_confirmed": "yes" if confirmed else "no",
        "best_policy_score": float(first[score]),
    }


def _top(analysis: Analysis) -> dict[str, float | str]:
    frame = analysis.categories[analysis.categories["category"] != PLACEBO]
    if frame.empty:
        return {}
    top = frame.sort_values("effect", kind="stable").iloc[-1]
    return {
        "top_category": str(top["category"]),
        "top_category_effect": float(top["effect"]),
        "top_category_low": float(top["low"]),
        "top_category_high": float(top["high"]),
        "top_category_verdict": REFUSED if "ranking" in analysis.refused else str(top["verdict"]),
    }


def _size(analysis: Analysis) -> str:
    if "size" in analysis.refused:
        return REFUSED
    return _sizes(analysis.size_curve)


def _sizes(frame: pd.DataFrame) -> str:
    """The sizes of which one may be best on average (probability over .05), if they differ at all.

    ``practically equal`` where no size differs from the smallest by half a point, ``cannot tell``
    where no difference from the smallest is known to be one.
    """
    if frame["low"].min() >= -EQUAL and frame["high"].max() <= EQUAL:
        return "practically equal"
    if len(frame) < 2 or not ((frame["low"] > 0) | (frame["high"] < 0)).any():
        return "cannot tell"
    return ", ".join(str(int(k)) for k in frame.loc[frame["p_best"] >= PLAUSIBLE, "size"])
