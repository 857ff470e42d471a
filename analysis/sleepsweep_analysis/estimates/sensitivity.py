"""Does the ranking hold when it is asked in another way: other metrics, data, priors?"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from sleepsweep.results import STAGES
from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates import effects
from sleepsweep_analysis.estimates.ranking import holm, verdict
from sleepsweep_analysis.model import PRIORS, Estimate, Reml, build, enough
from sleepsweep_analysis.model.posterior import posterior

__all__ = ["by_stage", "flips_without_collapsed", "holds", "sensitivity"]

COLUMNS = ["variant", "augmentation", "effect", "low", "high", "verdict", "holds"]
STAGE_COLUMNS = ["augmentation", "stage", "effect", "low", "high"]
DRAWS = 32
MOST_SPLITS = 10
DECIDED = ("better", "worse")

Priors = Mapping[str, tuple[float, float]]
Variant = tuple[str, Comparable, Priors]


def sensitivity(chosen: Comparable, primary: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The effect of each augmentation under each variant, and whether its verdict holds."""
    parts = [_under(name, rows, priors, primary, seed) for name, rows, priors in _variants(chosen)]
    return pd.concat(parts or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)


def _under(
    name: str, chosen: Comparable, priors: Priors, primary: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """One variant: the augmentations that it has, and whether the primary verdicts hold."""
    before = primary.set_index("augmentation").loc[list(chosen.pool)]
    found = _estimate(chosen, priors, seed)
    bounds = zip(found.low, found.high, holm(found.p), strict=True)
    frame = pd.DataFrame({
        "variant": name, "augmentation": list(chosen.pool), "effect": found.mean,
        "low": found.low, "high": found.high, "verdict": [verdict(*each) for each in bounds],
    })  # fmt: skip
    pairs = zip(before.iterrows(), frame["effect"], frame["verdict"], strict=True)
    frame["holds"] = [holds(row, effect, word) for (_, row), effect, word in pairs]
    return frame[[chosen.present(each) > 0 for each in chosen.pool]]


def by_stage(chosen: Comparable, seed: int) -> pd.DataFrame:
    """The effect of each augmentation on the F1 of each stage, by the same model."""
    parts = [pd.DataFrame(columns=STAGE_COLUMNS)]
    for stage in STAGES:
        rows = _on_metric(chosen, f"f1.{stage}")
        if enough(rows):
            found = _estimate(rows, PRIORS, seed)
            parts.append(pd.DataFrame({
                "augmentation": list(chosen.pool), "stage": stage, "effect": found.mean,
                "low": found.low, "high": found.high,
            }))  # fmt: skip
    return pd.concat(parts[1:] or parts, ignore_index=True)


def flips_without_collapsed(
    chosen: Comparable, primary: pd.DataFrame, seed: int
) -> tuple[str, ...]:
    """Augmentations whose verdict does not hold without the trials that collapsed."""
    rest = chosen.without_collapsed()
    if not chosen.collapsed or not enough(rest):
        return ()
    frame = _under("without collapsed", rest, PRIORS, primary, seed)
    return tuple(frame.loc[~frame["holds"].astype(bool), "augmentation"])


def holds(primary: pd.Series, effect: float, found: str) -> bool:
    """Whether a variant leaves a verdict standing.

    A decided verdict flips where the variant decides otherwise, or puts the effect on the other
    side of 0; an undecided one flips where the variant decides. A variant that merely has a wider
    interval, for want of trials, contradicts nothing.
    """
    if primary["verdict"] in DECIDED:
        opposite = found in DECIDED and found != primary["verdict"]
        return not opposite and bool(np.sign(effect) == np.sign(primary["effect"]))
    return found not in DECIDED


def _variants(chosen: Comparable) -> Iterator[Variant]:
    """Every variant that has enough rows to say anything."""
    rows = chosen.rows
    splits = sorted(rows["split"].unique())
    candidates: list[Variant] = [
        ("accuracy", _on_metric(chosen, "accuracy"), PRIORS),
        ("kappa", _on_metric(chosen, "kappa"), PRIORS),
        ("designed trials only", _only(chosen, rows["kind"].isin(["design", "anchor"])), PRIORS),
        ("last rung only", _only(chosen, rows["rung"] == chosen.last), PRIORS),
        ("priors halved", chosen, _scaled(0.5)),
        ("priors doubled", chosen, _scaled(2.0)),
    ]
    if chosen.collapsed:
        candidates.append(("without collapsed", chosen.without_collapsed(), PRIORS))
    if 1 < len(splits) <= MOST_SPLITS:
        candidates += [
            (f"without split {split}", _only(chosen, rows["split"] != split), PRIORS)
            for split in splits
        ]
    for name, found, priors in candidates:
        if enough(found) and (priors is not PRIORS or not found.rows.equals(rows)):
            yield name, found, priors


def _estimate(chosen: Comparable, priors: Priors, seed: int) -> Estimate:
    found = posterior(Reml(build(chosen), priors), seed=seed, draws=DRAWS)
    return found.estimate(effects.contrasts(found))


def _on_metric(chosen: Comparable, column: str) -> Comparable:
    """The same rows scored by another column (0–1), without those that lack it."""
    rows = chosen.rows.assign(points=100.0 * chosen.rows[column])
    return replace(chosen, rows=rows[rows["points"].notna()])


def _only(chosen: Comparable, keep: "pd.Series[bool]") -> Comparable:
    return replace(chosen, rows=chosen.rows[keep])


def _scaled(factor: float) -> Priors:
    return {name: (factor * median, spread) for name, (median, spread) in PRIORS.items()}
