"""Confirmation: fresh runs of a few policies, the only ones that read the test subjects.

Its blocks re-draw training and validation but share the test subjects, so they are not independent
samples of people. The variance of a mean over blocks (of a score, or of the paired difference from
no augmentation) is therefore that between blocks plus a delete-one-subject jackknife of the mean
over the same test subjects::

    se² = s²/n + (m − 1)/m · Σ_i (θ_(i) − mean θ_(·))²        interval: θ ± t(min(n, m) − 1)·se
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import last_rows, settings_of
from sleepsweep_analysis.estimates.ranking import holm, verdict
from sleepsweep_analysis.policies.jackknife import leave_one_out

__all__ = ["COLUMNS", "confirmation"]

Matrix = NDArray[np.float64]

COLUMNS = ["rank", "policy", "settings", "size", "blocks", "score", "low", "high", "gain",
           "gain_low", "gain_high", "subjects", "verdict"]  # fmt: skip

REFERENCE = "reference"
"""The verdict on no augmentation, which the others are compared with."""


def confirmation(table: ResultsTable) -> pd.DataFrame:
    """One row a confirmed policy, best first; empty where no confirmation has ended.

    Where settings were searched, a policy has a row for each of those that it was confirmed with,
    and `settings` says which. `gain` is the mean difference from no augmentation with the same
    settings on the same blocks; the verdict is about it. What ran on harder blocks is not behind
    for that: the order is that of the mean difference from one and the same reference, no
    augmentation with the settings that it was run with most, and of the scores where there is none.
    """
    trials = last_rows(table)
    trials = trials[(trials["kind"] == "confirmation") & np.isfinite(trials["macro_f1"])]
    searched = settings_of(trials, table.study.categories)
    rows, p, beside, reference = [], [], [], _reference(trials, searched)
    for _, mine in trials.groupby(["policy", *searched], sort=False, dropna=False):
        first = mine.iloc[0]
        alike = _alike(trials, first, searched)
        score, gain = _score(table, mine), _gain(table, mine, alike)
        rows.append({
            "policy": str(first["policy"]), "settings": _settings(first, searched),
            "size": int(first["size"]), "blocks": len(mine),
            "score": score[0], "low": score[1], "high": score[2], "gain": gain[0],
            "gain_low": gain[1], "gain_high": gain[2], "subjects": _people(table, mine),
        })  # fmt: skip
        p.append(gain[3])
        beside.append((mine["macro_f1"] - mine["block"].map(reference)).mean())
    frame = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in ("rank", "verdict")])
    frame["verdict"] = _verdicts(frame, np.array(p))
    frame = frame.assign(beside=np.array(beside, dtype=float))
    frame = frame.sort_values(["beside", "score"], ascending=False, kind="stable")
    frame = frame.reset_index(drop=True)
    frame.insert(0, "rank", range(1, len(frame) + 1))
    return frame[COLUMNS]


def _alike(trials: pd.DataFrame, first: pd.Series, searched: list[str]) -> pd.DataFrame:
    """The trials with the settings of `first`."""
    same = [trials[c].eq(first[c]) | (trials[c].isna() & pd.isna(first[c])) for c in searched]
    return trials[np.logical_and.reduce([np.ones(len(trials), dtype=bool), *same])]


def _settings(first: pd.Series, searched: list[str]) -> str:
    values = {column.removeprefix("hp."): first[column] for column in searched}
    return ", ".join(
        f"{path} {value:.4g}" if isinstance(value, float) else f"{path} {value}"
        for path, value in values.items()
        if not pd.isna(value)
    )


def _reference(trials: pd.DataFrame, searched: list[str]) -> "pd.Series[float]":
    """By block, the score without augmentation, with the settings that it was run with most."""
    none = trials[trials["size"] == 0]
    alike = [rows for _, rows in none.groupby(["size", *searched], sort=False, dropna=False)]
    most = max(alike, key=len, default=none)
    return most.drop_duplicates("block").set_index("block")["macro_f1"]


def _score(table: ResultsTable, mine: pd.DataFrame) -> tuple[float, ...]:
    """The mean score over blocks; an interval of two blocks can reach past what a score can be."""
    values = 100.0 * mine["macro_f1"].to_numpy()
    mean, low, high, p = _combined(values, _mean(_left_out(table, mine)))
    return mean, max(low, 0.0), min(high, 100.0), p


def _gain(table: ResultsTable, mine: pd.DataFrame, alike: pd.DataFrame) -> tuple[float, ...]:
    """The paired difference from no augmentation; NaN for itself and without common blocks.

    `alike` are the trials with the settings of `mine`.
    """
    none = alike[alike["size"] == 0].drop_duplicates("block").set_index("block")
    mine = mine[mine["block"].isin(none.index) & (mine["size"] > 0)]
    if mine.empty:
        return (np.nan,) * 4
    base = none.loc[mine["block"]]
    values = 100.0 * (mine["macro_f1"].to_numpy() - base["macro_f1"].to_numpy())
    pairs = zip(_left_out(table, mine), _left_out(table, base), strict=True)
    return _combined(values, _mean([with_it - without for with_it, without in pairs]))


def _combined(values: Matrix, left: Matrix) -> tuple[float, ...]:
    """Mean, interval and p-value (of a mean of 0) of values by block and of their mean without each
    subject."""
    mean, blocks, people = float(values.mean()), len(values), len(left)
    if min(blocks, people) < 2:
        return mean, np.nan, np.nan, np.nan
    among = float(values.var(ddof=1)) / blocks
    over = (people - 1) / people * float(((left - left.mean()) ** 2).sum())
    se, free = max(np.sqrt(among + over), 1e-9), min(blocks, people) - 1
    half = float(stdtrit(free, 0.975)) * se
    return mean, mean - half, mean + half, float(2 * stdtr(free, -abs(mean) / se))


def _left_out(table: ResultsTable, trials: pd.DataFrame) -> list["pd.Series[float]"]:
    """For each trial its pooled macro-F1 without each subject, by subject."""
    found = [
        table.confusions(str(trial), int(rung))
        for trial, rung in zip(trials["trial"], trials["rung"], strict=True)
    ]
    return [
        pd.Series(leave_one_out(np.array(list(each.values())).reshape(-1, 5, 5)), index=list(each))
        for each in found
    ]


def _mean(left: list["pd.Series[float]"]) -> Matrix:
    """Mean over blocks, for the subjects that all of them scored."""
    return pd.concat(left, axis=1).dropna().mean(axis=1).to_numpy(dtype=float)


def _people(table: ResultsTable, mine: pd.DataFrame) -> int:
    pairs = zip(mine["trial"], mine["rung"], strict=True)
    return len({name for trial, rung in pairs for name in table.confusions(str(trial), int(rung))})


def _verdicts(frame: pd.DataFrame, p: Matrix) -> list[str]:
    """One family of Holm's over the policies that can be compared with no augmentation.

    That one is the reference.
    """
    adjusted = np.full(len(p), np.nan)
    tested = np.isfinite(p)
    adjusted[tested] = holm(p[tested])
    bounds = zip(frame["gain_low"], frame["gain_high"], adjusted, strict=True)
    found = [verdict(*each) if np.isfinite(each[2]) else "cannot tell" for each in bounds]
    return [word if size else REFERENCE for word, size in zip(found, frame["size"], strict=True)]
