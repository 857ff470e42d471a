"""Findings about two sweeps: whether their rankings agree, and in what they differ."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sleepsweep_analysis.words.numbers import interval, largest, listing, plural, shortened, signed

if TYPE_CHECKING:
    from sleepsweep_analysis.report.comparison.statistics import Agreement

__all__ = ["agreement_finding", "difference_finding", "only_finding", "protocol_finding"]

WHOLE = {"augmentation": "augmentations", "category": "categories"}


def agreement_finding(found: "Sequence[Agreement]", names: Sequence[str], key: str) -> str:
    """Whether sweeps rank alike; the first is compared with each other one."""
    return " ".join(
        _agreement(one, names[0], name, key) for one, name in zip(found, names[1:], strict=True)
    )


def difference_finding(found: pd.DataFrame, key: str, first: str, second: str) -> str:
    """Which effects differ between the sweeps."""
    first, second = shortened(first, 40), shortened(second, 40)
    sure = found[found["verdict"].isin(["higher", "lower"])]
    equal = int((found["verdict"] == "practically equal").sum())
    calm = f" {equal} of {len(found)} are practically equal (within ±0.5)." if equal else ""
    if sure.empty:
        return f"Of no {key} can it be told that its effect differs between the sweeps.{calm}"
    top = largest(sure)
    lead = "differs" if len(sure) == 1 else f"differ, {top[key]} most"
    return (
        f"{listing(sure[key])} {lead}: {signed(top['effect'])} points from {first} to {second} "
        f"({interval(top['low'], top['high'])}).{calm}"
    )


def only_finding(
    first: pd.DataFrame, second: pd.DataFrame, key: str, first_name: str, second_name: str
) -> str:
    """What only one of two sweeps has."""
    one, other = list(first[key]), list(second[key])
    parts = [
        f"only in {shortened(name, 40)}: {listing(lacking)}"
        for name, lacking in (
            (first_name, [item for item in one if item not in other]),
            (second_name, [item for item in other if item not in one]),
        ) if lacking
    ]  # fmt: skip
    if not parts:
        return f"Both sweeps have the same {WHOLE[key]}."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def protocol_finding(differing: Sequence[str]) -> str:
    """In what the protocols differ, and what follows."""
    if not differing:
        return "The protocols are the same in everything that was recorded."
    many = plural(len(differing), "recorded setting")
    return (
        f"The sweeps differ in {many}: {listing(setting.lower() for setting in differing)}. A "
        "difference between their effects may come from any of these."
    )


def _agreement(one: "Agreement", first: str, second: str, key: str) -> str:
    first, second = shortened(first, 40), shortened(second, 40)
    if not np.isfinite(one.rho):
        return (
            f"{first} and {second} share {one.shared} {WHOLE[key]}: too few to tell whether they "
            "rank alike."
        )
    ends = f"95\u00a0% interval {one.low:.2f} to {one.high:.2f}"
    numbers = f"rank correlation {one.rho:.2f}, {ends}, {one.shared} shared".replace("-", "−")
    if one.low > 0:
        return f"{first} and {second} rank the {WHOLE[key]} alike ({numbers})."
    if one.high < 0:
        return f"{first} and {second} rank the {WHOLE[key]} in opposite order ({numbers})."
    return f"Whether {first} and {second} rank the {WHOLE[key]} alike cannot be told ({numbers})."
