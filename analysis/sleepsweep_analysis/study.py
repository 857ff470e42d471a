"""The whole analysis, composed: table → comparable rows → model → tables and warnings."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import design, effects, model, power, size
from sleepsweep_analysis.comparable import Comparable, comparable, last_rows
from sleepsweep_analysis.leaderboard import leaderboard
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.ranking import DRAWS
from sleepsweep_analysis.warnings import Check, Evidence, check_all, refused

__all__ = ["Analysis", "analyse"]


@dataclass(frozen=True)
class Analysis:
    """What one sweep says: frozen tables in macro-F1 points, and the warnings about them.

    `trials` has one row a trial (its last rung), confirmation included; `chosen` the rows the
    model read; `categories`, `augmentations`, `sizes` and `leaderboard` are the exported tables.
    """

    table: ResultsTable
    chosen: Comparable
    posterior: Posterior
    trials: pd.DataFrame
    categories: pd.DataFrame
    augmentations: pd.DataFrame
    sizes: pd.DataFrame
    leaderboard: pd.DataFrame
    checks: tuple[Check, ...]
    refused: dict[str, str]
    confirmation: pd.DataFrame
    seed: int

    def check(self, code: str) -> Check | None:
        """The check named `code`, or None where it does not apply."""
        return next((found for found in self.checks if found.code == code), None)


def analyse(table: ResultsTable, *, seed: int = 0) -> Analysis:
    """Analyse a sweep; the same table and seed give the same numbers, in any order of the rows.

    Raises `TableError` (a `UserError`) where there is too little to analyse.
    """
    # Matrices of a few hundred rows: BLAS loses more by sharing them out than it gains (on two
    # cores, six times the time of one thread).
    with threadpool_limits(limits=1, user_api="blas"):
        return _analyse(table, seed)


def _analyse(table: ResultsTable, seed: int) -> Analysis:
    table = replace(
        table, trials=table.trials.sort_values(["order", "trial", "rung"], ignore_index=True)
    )
    chosen = comparable(table)
    posterior = model.fit(design.build(chosen), seed=seed)
    draws = posterior.draws(DRAWS, seed)
    augmentations = _with_power(chosen, posterior, draws, seed)
    categories = effects.categories(chosen, posterior, draws)
    trials = last_rows(table)
    board = leaderboard(table, chosen, posterior)
    methods = ["augmentation", "method", "effect", "low", "high", "n", "apart"]
    seen = Evidence(
        study=table.study,
        trials=trials[trials["kind"] != "confirmation"],
        all=table.trials,
        subjects=table.subjects,
        chosen=chosen,
        effects=augmentations,
        crosschecks=pd.DataFrame(columns=methods),
        noise=posterior.sds["trial"],
        reached=int(board["of"].max()) if len(board) else 0,
        confirmed=int((trials["kind"] == "confirmation").sum()),
        flips=_flips(chosen, augmentations, categories, seed),
    )
    checks = check_all(seen)
    return Analysis(
        table=table,
        chosen=chosen,
        posterior=posterior,
        trials=trials,
        categories=categories,
        augmentations=augmentations,
        sizes=size.sizes(chosen, posterior, draws),
        leaderboard=board,
        checks=checks,
        refused=refused(checks),
        confirmation=pd.DataFrame(columns=["rank", "policy", "score", "low", "high", "verdict"]),
        seed=seed,
    )


def _with_power(
    chosen: Comparable, posterior: Posterior, draws: NDArray[np.float64], seed: int
) -> pd.DataFrame:
    """The table of augmentations, with the smallest effect of each that this sweep would see."""
    contrasts = effects.contrasts(chosen, posterior)
    least = dict(
        zip(chosen.pool, power.detectable_effects(posterior, contrasts, seed=seed), strict=True)
    )
    frame = effects.augmentations(chosen, posterior, draws)
    return frame.assign(detectable=frame["augmentation"].map(least))


def _flips(
    chosen: Comparable, augmentations: pd.DataFrame, categories: pd.DataFrame, seed: int
) -> tuple[str, ...]:
    """Names whose verdict is another one without the collapsed trials."""
    rest = chosen.without_collapsed()
    if not chosen.collapsed or not design.enough(rest):
        return ()
    posterior = model.fit(design.build(rest), seed=seed)
    draws = posterior.draws(DRAWS, seed)
    pairs = (
        (augmentations, effects.augmentations(rest, posterior, draws), "augmentation"),
        (categories, effects.categories(rest, posterior, draws), "category"),
    )
    flips = []
    for before, after, key in pairs:
        both = before.merge(after, on=key, suffixes=("", "_after"))
        flips += both.loc[both["verdict"] != both["verdict_after"], key].astype(str).tolist()
    return tuple(flips)
