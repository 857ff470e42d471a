"""What a reader must know before believing a ranking: one small function a warning.

Each is computed from the table and its model, says red, amber or green in a sentence, and says what
it changes; some take a claim away instead of decorating it (`refused`). A green light is shown too:
a check that passed is information. One that does not apply, or for which the table lacks what it
needs, says nothing.
"""

from collections.abc import Callable

from sleepsweep_analysis.warnings.aliasing import aliased
from sleepsweep_analysis.warnings.check import CLAIMS, Check, Evidence, refused
from sleepsweep_analysis.warnings.composition import size_composition
from sleepsweep_analysis.warnings.design import (
    adaptive,
    no_baseline,
    one_split,
    placebo,
    pseudorep,
)
from sleepsweep_analysis.warnings.leakage import leak_subject, leak_test, seed_is_split
from sleepsweep_analysis.warnings.outcome import (
    censored,
    collapsed,
    few_stages,
    incomplete,
    length,
    no_rungs,
)
from sleepsweep_analysis.warnings.power import (
    detectable,
    model_check,
    runs_for,
    underpowered,
    winner,
)

__all__ = [
    "CHECKS",
    "CLAIMS",
    "Check",
    "Evidence",
    "check_all",
    "detectable",
    "refused",
    "runs_for",
]

CHECKS: tuple[Callable[[Evidence], Check | None], ...] = (
    leak_test, leak_subject, aliased, placebo, one_split, adaptive, censored, no_rungs,
    no_baseline, size_composition, underpowered, incomplete, collapsed, length, few_stages,
    seed_is_split, pseudorep, model_check, winner,
)  # fmt: skip


def check_all(seen: Evidence) -> tuple[Check, ...]:
    """Every check that applies, red first, then amber, then green."""
    order = {"red": 0, "amber": 1, "green": 2}
    found = [made for check in CHECKS if (made := check(seen)) is not None]
    return tuple(sorted(found, key=lambda check: order[check.level]))
