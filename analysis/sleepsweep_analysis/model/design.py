"""From comparable rows to the numbers of the model: one column a weight, and who shares noise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.results import TableError
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.model.covariates import covariates_of
from sleepsweep_analysis.model.dials import bend, dials_of
from sleepsweep_analysis.model.layout import Layout

__all__ = ["Design", "build", "enough"]

Matrix = NDArray[np.float64]

SPARE = 2
"""Trials needed beyond one a block before anything is estimated."""


@dataclass(frozen=True)
class Design:
    """The numbers of one model with n observations, J augmentations and W weights.

    `points` (n,); `switches` (n, J); `columns` (n, W); `trial` (n,) numbers the trials from 0;
    `before_last` (n,) marks the observations before the last rung; `replicates` (n,) is how many
    runs each observation averages; `last` is the last rung.
    """

    layout: Layout
    points: Matrix
    switches: Matrix
    columns: Matrix
    trial: NDArray[np.int64]
    before_last: NDArray[np.bool_]
    replicates: Matrix
    last: int

    @property
    def blocks(self) -> tuple[int, ...]:
        """The blocks, in the order of their offsets."""
        return self.layout.blocks

    @property
    def early(self) -> tuple[int, ...]:
        """The rungs before the last one."""
        return self.layout.early

    def policies(self) -> Matrix:
        """(n, W): the part of `columns` that a trial would take to any block, at the last rung.

        That is its policy's, f(x, s), and the offsets of its searched settings.
        """
        columns = self.columns.copy()
        for batch in ("block", "rung", "tilt"):
            columns[:, self.layout.places[batch]] = 0.0
        return columns


def build(chosen: Comparable) -> Design:
    """Build the design of the rows in `chosen`.

    Raises `TableError` when there are too few trials to estimate anything, or none has reached the
    last rung.
    """
    last = _enough(chosen)
    rows = chosen.rows
    switches = rows[chosen.switches].to_numpy(dtype=float)
    layout = _layout(chosen, last)
    return Design(
        layout=layout,
        points=rows["points"].to_numpy(dtype=float),
        switches=switches,
        columns=_columns(rows, switches, layout),
        trial=pd.factorize(rows["trial"])[0].astype(np.int64),
        before_last=rows["rung"].to_numpy() != last,
        replicates=rows["replicates"].to_numpy(dtype=float),
        last=last,
    )


def enough(chosen: Comparable) -> bool:
    """Whether a design can be built of the rows in `chosen`."""
    try:
        _enough(chosen)
    except TableError:
        return False
    return True


def _layout(chosen: Comparable, last: int) -> Layout:
    rows, covariates = chosen.rows, covariates_of(chosen)
    real = rows[chosen.real_switches].to_numpy(dtype=float)
    largest = min(chosen.largest, real.shape[1])
    return Layout(
        pool=chosen.pool,
        category=chosen.category,
        blocks=tuple(sorted(int(block) for block in rows["block"].unique())),
        early=tuple(sorted({int(rung) for rung in rows["rung"]} - {last})),
        top=max(int(real.sum(axis=1).max()), largest, 2),
        smallest=min(chosen.smallest, largest),
        largest=largest,
        dials=dials_of(chosen),
        covariates=covariates,
        offsets=tuple(each.offsets(rows[f"hp.{each.name}"]).shape[1] for each in covariates),
    )


def _columns(rows: pd.DataFrame, switches: Matrix, layout: Layout) -> Matrix:
    """Every batch of the layout, side by side."""
    real = switches[:, layout.real]
    members = np.array([[layout.category[j] == c for c in layout.categories] for j in layout.real])
    rung = _one_hot(rows["rung"], layout.early)
    by_covariate = _side_by_side(rows, [c.columns(rows[f"hp.{c.name}"]) for c in layout.covariates])
    batches = {
        "block": _one_hot(rows["block"], layout.blocks),
        "rung": rung,
        "offset": _side_by_side(rows, [c.offsets(rows[f"hp.{c.name}"]) for c in layout.covariates]),
        "base": real.sum(axis=1, keepdims=True),
        "placebo": switches[:, layout.placebos],
        "category": real @ members,
        "within": real,
        "pair": _pairs(switches, layout),
        "size": _one_hot(real.sum(axis=1), range(layout.top + 1)) @ layout.size_root,
        **_dials(rows, layout),
        "covariate": _products(real, by_covariate),
        "tilt": _products(rung, np.hstack([switches, by_covariate])),
    }
    return np.hstack([batches[name] for name in layout.counts])


def _pairs(switches: Matrix, layout: Layout) -> Matrix:
    first, second = np.array(layout.pairs, dtype=np.int64).reshape(-1, 2).T
    return np.asarray(switches[:, first] * switches[:, second])


def _dials(rows: pd.DataFrame, layout: Layout) -> dict[str, Matrix]:
    """The columns t and t² − 1/12 of every dial, 0 where its augmentation is absent; their sums."""
    doses, bends = [np.zeros((len(rows), 0))], [np.zeros((len(rows), 0))]
    for dial in layout.dials:
        values = pd.to_numeric(rows[dial.column], errors="coerce").to_numpy(dtype=float)
        here = (rows[f"on.{dial.augmentation}"].to_numpy() & np.isfinite(values)).astype(float)
        t = dial.position(values)
        doses.append((here * t)[:, None])
        bends.append((here * bend(t))[:, None])
    dose, bent = np.hstack(doses), np.hstack(bends)
    shared = np.column_stack([dose.sum(axis=1), bent.sum(axis=1)])
    return {"setting": shared[:, : layout.counts["setting"]], "dose": dose, "bend": bent}


def _products(left: Matrix, right: Matrix) -> Matrix:
    """Each column of `left` times each of `right`, in the order of the left ones."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _side_by_side(rows: pd.DataFrame, parts: list[Matrix]) -> Matrix:
    return np.hstack([np.zeros((len(rows), 0)), *parts])


def _one_hot(column: "pd.Series | Matrix", levels: "tuple[int, ...] | range") -> Matrix:
    return np.asarray(np.asarray(column)[:, None] == np.array(levels)[None, :], dtype=float)


def _enough(chosen: Comparable) -> int:
    """Return the last rung where there is enough to estimate; raise `TableError` elsewhere."""
    rows = chosen.rows
    if rows.empty:
        raise TableError(
            "trials: no trial has a score yet, so there is nothing to analyse. "
            "Wait for the first trial to report, or look at why the trials failed."
        )
    if chosen.largest < 1 or not rows[chosen.switches].to_numpy().any():
        raise TableError("trials: no policy contains an augmentation, so there is none to rank.")
    need = int(rows["block"].nunique()) + SPARE
    if chosen.n_trials < need:
        raise TableError(
            f"trials: {chosen.n_trials} with a score in {need - SPARE} block(s); effects need at "
            f"least {need}. Run more trials."
        )
    if chosen.last is None:
        raise TableError(
            f"trials: no trial has reached the last rung (step {chosen.steps:,}) yet, so nothing "
            "can be ranked. Launch the sweep again to go on."
        )
    return chosen.last
