"""The whole analysis, composed: table → comparable rows → model → tables and warnings."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import (
    Comparable,
    comparable,
    last_rows,
    over_sizes,
    swept,
)
from sleepsweep_analysis.estimates import (
    crosschecks,
    dose,
    effects,
    fidelity,
    interactions,
    robustness,
    sensitivity,
    size,
    variance,
)  # fmt: skip
from sleepsweep_analysis.estimates.detectable import detectable_effects
from sleepsweep_analysis.estimates.ranking import DRAWS
from sleepsweep_analysis.model import Posterior, build, fit
from sleepsweep_analysis.policies.baselines import baselines
from sleepsweep_analysis.policies.confirmation import confirmation
from sleepsweep_analysis.policies.leaderboard import leaderboard
from sleepsweep_analysis.policies.representations import Representation, representations
from sleepsweep_analysis.policies.subjects import Comparison, compare_subjects
from sleepsweep_analysis.warnings import Check, Evidence, check_all, detectable, refused

__all__ = ["Analysis", "analyse"]

Matrix = NDArray[np.float64]
T = TypeVar("T")


def _once(compute: Callable[["Analysis"], T]) -> "cached_property[T]":
    """A table that is computed when it is first asked for.

    Matrices of a few hundred rows: BLAS loses more by sharing them out than it gains (on two
    cores, six times the time of one thread).
    """

    @wraps(compute)
    def alone(analysis: "Analysis") -> T:
        with threadpool_limits(limits=1, user_api="blas"):
            return compute(analysis)

    return cached_property(alone)


@dataclass(frozen=True)
class Analysis:
    """What one sweep says: tables in macro-F1 points, and the warnings about them.

    `chosen` has the rows that the model read and `posterior` what it found. The tables follow from
    these and `seed`; each is computed when it is first asked for, described by the function that
    makes it, and may be empty.
    """

    table: ResultsTable
    chosen: Comparable
    posterior: Posterior
    seed: int

    @_once
    def draws(self) -> Matrix:
        """Joint draws of the model's weights, (2,000, W)."""
        return self.posterior.draws(DRAWS, self.seed)

    @_once
    def trials(self) -> pd.DataFrame:
        """One row a trial, its last rung; baselines and confirmation included."""
        return last_rows(self.table)

    @_once
    def effects(self) -> pd.DataFrame:
        """`effects.augmentations`, and ``detectable``: the smallest effect this sweep would see."""
        rows = effects.contrasts(self.posterior)
        found = detectable_effects(self.posterior, rows, seed=self.seed)
        frame = effects.augmentations(self.chosen, self.posterior, self.draws)
        least = dict(zip(self.chosen.pool, found, strict=True))
        return frame.assign(detectable=frame["augmentation"].map(least))

    @_once
    def categories(self) -> pd.DataFrame:
        """`effects.categories`."""
        return effects.categories(self.chosen, self.posterior, self.draws, self.seed)

    @_once
    def size_curve(self) -> pd.DataFrame:
        """`size.sizes`."""
        return size.sizes(self.chosen, self.posterior, self.draws)

    @_once
    def composition(self) -> pd.DataFrame:
        """`size.composition`."""
        return size.composition(self.chosen)

    @_once
    def interactions(self) -> pd.DataFrame:
        """`interactions.interactions`."""
        return interactions.interactions(self.chosen, self.posterior, self.draws)

    @_once
    def doses(self) -> pd.DataFrame:
        """`dose.doses`."""
        return dose.doses(self.posterior)

    @_once
    def optima(self) -> pd.DataFrame:
        """`dose.optima`."""
        return dose.optima(self.chosen, self.posterior, self.draws)

    @_once
    def covariates(self) -> pd.DataFrame:
        """`robustness.covariates`."""
        return robustness.covariates(self.chosen, self.posterior)

    @_once
    def robustness(self) -> pd.DataFrame:
        """`robustness.robustness`."""
        return robustness.robustness(self.posterior, self.draws)

    @_once
    def crosschecks(self) -> pd.DataFrame:
        """`crosschecks.crosschecks`."""
        return crosschecks.crosschecks(self.chosen, self.effects)

    @_once
    def screen(self) -> pd.DataFrame:
        """`crosschecks.screen`."""
        return crosschecks.screen(self.chosen, self.seed)

    @_once
    def leaderboard(self) -> pd.DataFrame:
        """`leaderboard.leaderboard`."""
        return leaderboard(self.table, self.chosen, self.posterior)

    @_once
    def confirmation(self) -> pd.DataFrame:
        """`confirmation.confirmation`."""
        return confirmation(self.table)

    @_once
    def baselines(self) -> pd.DataFrame:
        """`baselines.baselines`."""
        return baselines(self.table)

    @_once
    def stages(self) -> pd.DataFrame:
        """`sensitivity.by_stage`."""
        return sensitivity.by_stage(self.chosen, self.seed)

    @_once
    def sensitivity(self) -> pd.DataFrame:
        """`sensitivity.sensitivity`."""
        return sensitivity.sensitivity(self.chosen, self.effects, self.seed)

    @_once
    def variance(self) -> pd.DataFrame:
        """`variance.components`."""
        return variance.components(self.chosen, self.posterior)

    @_once
    def runs_needed(self) -> pd.DataFrame:
        """`variance.runs_needed`."""
        return variance.runs_needed(self.posterior, detectable(self.effects))

    @_once
    def fidelity(self) -> pd.DataFrame:
        """`fidelity.fidelity`."""
        return fidelity.fidelity(self.chosen, self.effects)

    @_once
    def comparison(self) -> Comparison:
        """`subjects.compare_subjects`: the best trial against no augmentation."""
        return compare_subjects(self.table, self.chosen, self.leaderboard)

    @property
    def subjects(self) -> pd.DataFrame:
        """One row a subject: the best trial, no augmentation, and their difference."""
        return self.comparison.subjects

    @property
    def contrast(self) -> pd.DataFrame:
        """One row: the difference of the two pooled macro-F1, with a jackknife interval."""
        return self.comparison.contrast

    @property
    def confusions(self) -> dict[str, NDArray[np.int64]]:
        """Pooled (5, 5) confusion matrices of ``best`` and ``baseline``."""
        return self.comparison.confusions

    @_once
    def representations(self) -> dict[str, Representation]:
        """Embeddings of ``best`` and ``baseline``, where the table's folder has them."""
        return representations(self.table, self.compared)

    @property
    def compared(self) -> dict[str, str]:
        """The trials that are looked at closely: ``best`` and, where there is one, ``baseline``."""
        if len(self.contrast):
            row = self.contrast.iloc[0]
            return {name: str(row[f"{name}_trial"]) for name in ("best", "baseline")}
        return {"best": str(self.leaderboard.iloc[0]["trial"])}

    @_once
    def checks(self) -> tuple[Check, ...]:
        """Every warning, red first."""
        return check_all(self._evidence())

    @_once
    def refused(self) -> dict[str, str]:
        """Why each claim that a warning takes away is not made, by claim."""
        return refused(self.checks)

    def check(self, code: str) -> Check | None:
        """The check named `code`, or None where it does not apply."""
        return next((found for found in self.checks if found.code == code), None)

    def _evidence(self) -> Evidence:
        trials, board = self.trials, self.leaderboard
        return Evidence(
            study=self.table.study,
            trials=swept(trials),
            all=self.table.trials,
            subjects=self.table.subjects,
            chosen=self.chosen,
            effects=self.effects,
            crosschecks=self.crosschecks,
            noise=self.posterior.sds["trial"],
            reached=int(board["of"].max()) if len(board) else 0,
            confirmed=int(
                ((trials["kind"] == "confirmation") & np.isfinite(trials["macro_f1"])).sum()
            ),
            flips=sensitivity.flips_without_collapsed(self.chosen, self.effects, self.seed),
        )


def analyse(
    table: ResultsTable, *, reference: tuple[int, int] | None = None, seed: int = 0
) -> Analysis:
    """Analyse a sweep; the same table and seed give the same numbers, in any order of the rows.

    An effect is a mean over random sets whose size is uniform on `reference`, both ends included
    (default: 1 to the largest size of the sweep's question).

    Raises `TableError` (a `UserError`) where there is too little to analyse.
    """
    ordered = table.trials.sort_values(["order", "trial", "rung"], ignore_index=True)
    table = replace(table, trials=ordered)
    chosen = over_sizes(comparable(table), reference)
    with threadpool_limits(limits=1, user_api="blas"):
        return Analysis(table, chosen, fit(build(chosen), seed=seed), seed)
