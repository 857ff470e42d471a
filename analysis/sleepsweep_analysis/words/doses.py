"""Findings about how strong, how often, and how the ranking depends on other settings."""

from collections.abc import Iterable
from typing import Any, cast

import pandas as pd

from sleepsweep_analysis.words.numbers import estimate, largest, listing, plural, signed

__all__ = ["covariate_finding", "dose_finding", "optimum_note", "robust_finding"]


def dose_finding(optima: pd.DataFrame) -> str:
    """Which dials have an optimum, which are flat, and of how many it cannot be told."""
    if optima.empty:
        return "No severity or probability was varied, so none can be recommended."
    parts = []
    sharp = optima[optima["verdict"] == "optimum"]
    if len(sharp):
        parts.append(f"An optimum is seen for {listing(map(_optimum, sharp.itertuples()))}.")
    flat = optima[optima["verdict"] == "flat"]
    if len(flat):
        names = listing(f"{row.augmentation} ({row.quantity})" for row in flat.itertuples())
        parts.append(f"It makes practically no difference for {names}.")
    many = int((optima["verdict"] == "cannot tell").sum())
    if many:
        parts.append(
            f"For {many} of {plural(len(optima), 'curve')}, this sweep cannot tell the best value."
        )
    return " ".join(parts)


def optimum_note(row: pd.Series) -> str:
    """What one curve says, in a few words."""
    if row["verdict"] == "optimum":
        ends = f"{row['optimum_low']:.2g}–{row['optimum_high']:.2g}"
        return f"best near {row['optimum']:.2g} ({ends})"
    return "flat" if row["verdict"] == "flat" else "cannot tell"


def covariate_finding(covariates: pd.DataFrame) -> str:
    """Which other settings move the score."""
    if covariates.empty:
        return "Nothing but the policies was varied."
    sure = covariates[(covariates["low"] > 0) | (covariates["high"] < 0)]
    if sure.empty:
        return "Whether any other setting that was varied moves the score, it cannot tell."
    top = largest(sure)
    return (
        f"The score moves with {listing(dict.fromkeys(sure['covariate']))}, most at "
        f"{top['covariate']} = {top['value']}: "
        f"{estimate(top['effect'], top['low'], top['high'])} points against its first value."
    )


def robust_finding(robustness: pd.DataFrame) -> str:
    """Whether effects of augmentations depend on the other settings."""
    if robustness.empty:
        return "Whether the ranking depends on other settings was not tested: none was varied."
    changed = robustness[robustness["verdict"] == "changes"]
    equal = int((robustness["verdict"] == "practically equal").sum())
    calm = f" {equal} of {len(robustness)} are practically the same at both ends." if equal else ""
    if changed.empty:
        return f"Of no effect can it be told that it depends on another setting.{calm}"
    names = listing(
        f"{row.augmentation} with {row.covariate} ({signed(row.at_low)} to {signed(row.at_high)})"
        for row in cast(Iterable[Any], changed.head(5).itertuples())
    )
    return f"The effect changes for {names}.{calm}"


def _optimum(row: Any) -> str:
    ends = f"{row.optimum_low:.2g} to {row.optimum_high:.2g}"
    return f"{row.augmentation} ({row.quantity} near {row.optimum:.2g}, {ends})"
