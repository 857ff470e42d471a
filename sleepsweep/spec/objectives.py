"""What a search may look for."""

from typing import Annotated

from pydantic import AfterValidator, Field

OBJECTIVES = {"macro_f1": "max", "accuracy": "max", "kappa": "max", "time_s": "min"}
"""What a search may look for, and whether more or less of it is better."""


def _sought(objective: str | tuple[str, ...]) -> str | tuple[str, ...]:
    names = (objective,) if isinstance(objective, str) else objective
    allowed = ", ".join(OBJECTIVES)
    for name in names:
        if name not in OBJECTIVES:
            raise ValueError(f"unknown objective {name!r}; allowed: {allowed}, or a list of them")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"name each objective once; allowed: {allowed}")
    if OBJECTIVES[names[0]] == "min":
        raise ValueError(
            f"{names[0]} cannot come first: the first objective stops trials early, and is a score"
        )
    return objective


Objective = Annotated[
    str | Annotated[tuple[str, ...], Field(strict=False)], AfterValidator(_sought)
]
"""The YAML's ``objective``: one name, or a list of which early stopping reads the first."""
