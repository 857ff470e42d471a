"""ALIASED: what cannot be told apart from the augmentations, in the design or in how it was run."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.warnings.check import CLAIMS, Check, Evidence, listed

__all__ = ["aliased", "inflation", "ties"]

Matrix = NDArray[np.float64]

VIF = 5.0
"""Variance inflation over which a switch counts as aliased."""

SHARE = 0.3
"""Smallest share of the trials that lie in tied levels."""

SHUFFLES = 999
FIELDS = ("protocol", "batch_size", "steps_trained", "stop_rule", "version", "seeds")
"""Fields of how a run was made, whose effect on the score the model has no term for."""


@dataclass(frozen=True)
class Tie:
    """`fields` that are one value only throughout some `levels` of a grouping of the trials.

    `values` are those of each field; several fields that change together have one tie.
    """

    fields: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    grouping: str
    levels: tuple[str, ...]
    share: float


def aliased(seen: Evidence) -> Check:
    """ALIASED: switches tied to one another or to blocks, or a field of the runs tied to a group.

    Of the design: a switch whose variance inflation factor, given blocks and the other switches,
    exceeds 5, or cannot be told at all (rank deficiency).

    Of how runs were made: a field with several values (protocol, batch size, training steps of
    finished trials, stopping rule, code version, seeds) is tied to a grouping (size, augmentation,
    category) where levels that ran under one value only hold at least 30 % of the trials, and none
    of 999 random reassignments of the field's values to the trials does as much. So a version that
    changed half-way through a random sweep is not tied, and neither are levels of a single trial.
    """
    inflated = inflation(seen)
    tied = ties(seen)
    claims = {"ranking"} if inflated else set()
    claims |= {"size" if tie.grouping == "size" else "ranking" for tie in tied}
    if not claims:
        text = "No augmentation is tied to another one, to a block, or to how trials were run."
        return Check("ALIASED", "green", text, "")
    parts = []
    if inflated:
        parts.append(
            f"The policies do not separate {listed(inflated)} from the others and the blocks."
        )
    parts += [_sentence(tie) for tie in tied]
    refuses = tuple(claim for claim in CLAIMS if claim in claims)
    words = [CLAIMS[claim] for claim in refuses]
    effect = f"What moves together cannot be told apart: no claim about {' or '.join(words)}."
    return Check("ALIASED", "red", " ".join(parts), effect, refuses)


def _sentence(tie: Tie) -> str:
    named = [f"{n} ({listed(v)})" for n, v in zip(tie.fields, tie.values, strict=True)]
    verb = "is" if len(named) == 1 else "are"
    return (
        f"{', '.join(named)} {verb} tied to {tie.grouping}: {listed(tie.levels)} ran under one "
        f"value only ({tie.share:.0%} of the trials)."
    )


def inflation(seen: Evidence) -> list[str]:
    """Augmentations whose variance inflation factor given blocks and other switches exceeds `VIF`.

    The factor is 1/(1 − R²) of the switch on everything else, over trials (Belsley, Kuh & Welsch
    1980, Regression Diagnostics). One that all or no trials contain is no column.
    """
    rows = seen.chosen.one_a_trial
    switches = rows[seen.chosen.switches].to_numpy(dtype=float)
    used = np.flatnonzero(np.ptp(switches, axis=0) > 0) if len(rows) else np.array([], dtype=int)
    blocks = pd.get_dummies(rows["block"]).to_numpy(dtype=float)
    columns = np.hstack([blocks, switches[:, used]])
    found = []
    for place, j in enumerate(used, start=blocks.shape[1]):
        others = np.delete(columns, place, axis=1)
        rest = columns[:, place] - others @ np.linalg.lstsq(others, columns[:, place])[0]
        total = float(((columns[:, place] - columns[:, place].mean()) ** 2).sum())
        if float(rest @ rest) * VIF < total:
            found.append(seen.chosen.pool[j])
    return found


def ties(seen: Evidence) -> list[Tie]:
    """Every field that is tied to a grouping of the trials; fields that change together, once."""
    rows = seen.chosen.one_a_trial
    found: dict[tuple[str, tuple[str, ...]], Tie] = {}
    for name in FIELDS:
        if name not in rows:
            continue
        field = rows if name != "steps_trained" else rows[rows["decision"] == "done"]
        values = field[name].astype(str)
        if values.nunique() < 2:
            continue
        for grouping, levels in _groupings(seen, field).items():
            tie = _tie(name, values, grouping, levels)
            if tie is not None:
                other = found.get((grouping, tie.levels), Tie((), (), grouping, tie.levels, 0.0))
                found[grouping, tie.levels] = replace(
                    tie, fields=other.fields + tie.fields, values=other.values + tie.values
                )
    return list(found.values())


def _groupings(seen: Evidence, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each grouping, which trials belong to each level, (trials × levels) of booleans."""
    chosen = seen.chosen
    switches = rows[chosen.switches].to_numpy(dtype=bool)
    sizes = pd.get_dummies(rows[chosen.real_switches].sum(axis=1).astype(int)).astype(bool)
    kinds = np.array(chosen.category)
    categories = {
        str(kind): switches[:, kinds == kind].any(axis=1) for kind in dict.fromkeys(kinds)
    }
    return {
        "size": sizes,
        "augmentation": pd.DataFrame(switches, columns=list(chosen.pool)),
        "category": pd.DataFrame(categories),
    }


def _tie(name: str, values: pd.Series, grouping: str, levels: pd.DataFrame) -> Tie | None:
    codes, texts = pd.factorize(values)
    member = levels.to_numpy(dtype=float)
    single, share = _single(member, codes, len(texts))
    if share < SHARE:
        return None
    generator = np.random.default_rng(0)
    for _ in range(SHUFFLES):
        if _single(member, generator.permutation(codes), len(texts))[1] >= share:
            return None
    tied = tuple(str(level) for level, one in zip(levels, single, strict=True) if one)
    return Tie((name,), (tuple(str(text) or "none" for text in texts),), grouping, tied, share)


def _single(member: Matrix, codes: NDArray[np.intp], count: int) -> tuple[NDArray[np.bool_], float]:
    """Levels that ran under one value only, and the share of the trials in any of them."""
    seen = member.T @ np.eye(count)[codes]
    single = (seen > 0).sum(axis=1) == 1
    return single, float(member[:, single].any(axis=1).mean())
