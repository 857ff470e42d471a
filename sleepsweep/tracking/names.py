"""What a trial is called in MLflow, and the parameters and tags by which its pages compare it.

A parameter is what MLflow's plots have axes of, and of the parameters in which runs differ its page
that compares runs shows the first three by the alphabet: what says nothing there is a tag.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from sleepsweep.augment import augmentation
from sleepsweep.folder.record import TrialRecord
from sleepsweep.trial import PARTS


@dataclass(frozen=True)
class Pool:
    """The augmentations that a sweep tries: the category of each, and which have a severity."""

    categories: Mapping[str, str]
    with_severity: frozenset[str]

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Self:
        """The pool of the sweep whose ``sweep.json`` is `manifest`."""
        categories, spec = manifest["study"]["categories"], manifest["spec"]
        # In the YAML's order both, but that one has canonical names, and the placebo at its end.
        entries = zip(categories, spec["augmentations"]["pool"].values(), strict=False)
        named = {name for name, entry in entries if entry["severity"] is not None}
        if any("severity_grid" in design for design in spec["search"]["designs"]):
            named |= {name for name in categories if augmentation(name).dial is not None}
        return cls(categories, frozenset(named))

    @property
    def dials(self) -> list[str]:
        """The parameter that says how much of an augmentation there is, for each of them."""
        return [
            f"{'severity' if name in self.with_severity else 'p'}.{name}"
            for name in self.categories
        ]

    @property
    def flags(self) -> list[str]:
        """The parameters that say of which categories a policy is."""
        return [f"category.{category}" for category in sorted(set(self.categories.values()))]

    def categories_of(self, names: Iterable[str]) -> list[str]:
        """The categories of some augmentations, each once."""
        return sorted({self.categories[name] for name in names})


def objective_of(manifest: Mapping[str, Any]) -> str:
    """The score that a sweep seeks first."""
    objective = manifest["spec"]["objective"]
    return str(objective if isinstance(objective, str) else objective[0])


def run_name(record: TrialRecord) -> str:
    """The name of a trial's run: its augmentations and its place in the order, or its baseline."""
    if not record.has_policy:
        return record.trial.policy_text
    members = " + ".join(member.name for member in record.trial.policy) or "no augmentation"
    return f"{members} #{record.order}"


def trial_tags(record: TrialRecord, pool: Pool) -> dict[str, str]:
    """What a trial's run is, for its table and to search by."""
    categories = pool.categories_of(member.name for member in record.trial.policy)
    return {
        "kind": record.kind, "design": record.design, "order": str(record.order),
        "categories": ", ".join(categories) or "none",
    }  # fmt: skip


def trial_params(record: TrialRecord, pool: Pool) -> dict[str, Any]:
    """The parameters of a trial's run: its policy, its block, its parts."""
    trial = record.trial
    params = {"policy": trial.policy_text, "block": trial.block, "split": trial.split,
              "seed": trial.seed}  # fmt: skip
    policy = _policy_params(record, pool) if record.has_policy else {}
    parts = {key: getattr(trial, key).model_dump(mode="json") for key in PARTS}
    return params | policy | flat(parts)


def _policy_params(record: TrialRecord, pool: Pool) -> dict[str, Any]:
    """The policy in numbers, a whole one: plots leave out runs that are without one of their axes.

    What a policy is without has a severity and a p of 0, with which an augmentation does nothing.
    """
    policy = record.trial.policy
    found = {f"category.{one}" for one in pool.categories_of(member.name for member in policy)}
    params: dict[str, Any] = {"size": record.trial.size}
    params |= {flag: int(flag in found) for flag in pool.flags}
    params |= {f"p.{name}": 0.0 for name in pool.categories}
    params |= {f"severity.{name}": 0.0 for name in pool.categories if name in pool.with_severity}
    for member in policy:
        drawn = {} if member.severity is None else {"severity": member.severity}
        for key, value in {**drawn, **member.parameters, "p": member.p}.items():
            params[f"{key}.{member.name}"] = value
    return params


def flat(tree: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """The values of a tree by their path, as MLflow's parameters are named."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{at}{key}.")
        else:
            found[f"{at}{key}"] = value
    return found
