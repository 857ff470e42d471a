"""Repeated runs of one configuration in one block: they are one trial, measured again.

Two runs of the same policy, covariates, subject split and seed share everything but the
nondeterminism of the hardware. Counted as two trials they would narrow every interval without
adding information (pseudo-replication; Hurlbert 1984, Ecol. Monogr. 54:187–211), so their scores
are averaged at each rung, and their spread is told.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sleepsweep.results import PREFIXES

__all__ = ["Reruns", "average_reruns"]

SAME = ("policy", "block", "split", "seed", "seeds", "protocol", "batch_size", "stop_rule")
"""What two runs share to be the same, beside switches, severities, probabilities, covariates."""

SCORES = ("points", "macro_f1", "accuracy", "kappa", "loss")


@dataclass(frozen=True)
class Reruns:
    """`rows` with repeated runs averaged; `runs` were merged into others; `sd` between them.

    The sd, in points, is pooled over the repeated configurations at the largest rung that any of
    them repeated; NaN where there are none.
    """

    rows: pd.DataFrame
    runs: int
    sd: float


def average_reruns(rows: pd.DataFrame) -> Reruns:
    """Average the scores of repeated runs at each rung into the run that went furthest.

    A collapsed run is never averaged with one that did not collapse: it stays an outcome of its
    own. ``replicates`` stays what it was: averaging the same seed again is no further seed.
    """
    if rows.empty:
        return Reruns(rows, 0, float("nan"))
    config = _configurations(rows)
    runs = rows.groupby("trial", sort=False).agg(rung=("rung", "max"), order=("order", "min"))
    runs["config"] = config.groupby(rows["trial"], sort=False).first()
    runs = runs.sort_values(["rung", "order"], ascending=[False, True], kind="stable")
    into = runs.reset_index().groupby("config", sort=False)["trial"].transform("first")
    kept = dict(zip(runs.index, into, strict=True))
    repeated = [trial for trial, other in kept.items() if trial != other]
    if not repeated:
        return Reruns(rows, 0, float("nan"))
    moved = rows.assign(into=rows["trial"].map(kept))
    return Reruns(_averaged(moved), len(repeated), _spread(moved))


def _configurations(rows: pd.DataFrame) -> pd.Series:
    """A number for each distinct configuration, row by row."""
    keys = [str(name) for name in rows if name in SAME or str(name).startswith(PREFIXES)]
    collapsed = rows["trial"].isin(rows.loc[rows["decision"] == "collapsed", "trial"])
    groups = rows[keys].assign(collapsed=collapsed).groupby([*keys, "collapsed"], dropna=False)
    return pd.Series(groups.ngroup(), index=rows.index)


def _averaged(moved: pd.DataFrame) -> pd.DataFrame:
    scores = [str(name) for name in moved if name in SCORES or str(name).startswith("f1.")]
    means = moved.groupby(["into", "rung"])[scores].transform("mean")
    own = (moved["trial"] == moved["into"]).to_numpy()
    ranked = moved.assign(**means, own=own).sort_values("own", ascending=False, kind="stable")
    once = ranked[~ranked.duplicated(["into", "rung"])].sort_index()
    return once.assign(trial=once["into"]).drop(columns=["into", "own"]).reset_index(drop=True)


def _spread(moved: pd.DataFrame) -> float:
    groups = moved.groupby(["into", "rung"])["points"]
    repeats = groups.transform("size") > 1
    last = moved["rung"] == moved.loc[repeats, "rung"].max()
    again = moved[repeats & last].groupby("into")["points"]
    squares, free = again.var() * (again.size() - 1), again.size() - 1
    return float(np.sqrt(squares.sum() / free.sum()))
