"""What an earlier sweep found, put into the terms of another one's search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sleepsweep.data.names import whose
from sleepsweep.seeds import numpy_generator
from sleepsweep.space import Recorded, draw_policy
from sleepsweep.spec.objectives import OBJECTIVES
from sleepsweep.spec.ranges import Range, Scalar
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import PARTS, text_of

if TYPE_CHECKING:
    import pandas as pd

    from sleepsweep.results import ResultsTable, StudyInfo

FINISHED = ("stop", "done", "collapsed")


@dataclass(frozen=True)
class PastTrial:
    """A finished trial of an earlier sweep: the values that would draw it here, and its rungs.

    `scored` names the subjects that it was scored on, as far as its table tells them.
    """

    id: str
    block: int
    values: Mapping[str, Scalar]
    rows: Sequence[Mapping[str, Any]]
    scored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Past:
    """The trials of the sweep at `source` that this one's space holds.

    `outside` counts the others by what takes them out of it.
    """

    source: str
    trials: Sequence[PastTrial] = ()
    outside: Mapping[str, int] = field(default_factory=dict)

    def without(self, test: Collection[str]) -> Past:
        """What a sweep may learn from that sets the subjects of `test` aside: nothing of theirs."""
        apart = {whose(name) for name in test}
        kept = [trial for trial in self.trials if apart.isdisjoint(map(whose, trial.scored))]
        outside = dict(self.outside)
        if taken := len(self.trials) - len(kept):
            outside["scored on a test subject of this sweep"] = taken
        return replace(self, trials=kept, outside=outside)


NO_PAST = Past("")


class OutsideError(ValueError):
    """A trial that cannot be drawn from a space; the message says why, in a few words."""


def past_of(table: ResultsTable, spec: SweepSpec, source: str) -> Past:
    """Return the finished trials of `table` in the terms of `spec`.

    A trial belongs to the space when its size, its members with all their values, and its encoder,
    pretraining and probe could have been drawn from it. Confirmations, which were scored on the
    test subjects, are left out: a search may not learn from those. So are baselines.
    """
    found: list[PastTrial] = []
    outside: Counter[str] = Counter()
    own = table.trials[table.trials["selected_on"] == "validation"]
    own = own[own["kind"] != "baseline"]
    settings = _settings(table.study)
    scored = table.subjects.groupby("trial")["subject"].agg(set).to_dict()
    for name, rows in own.groupby("trial", sort=False):
        last = rows.iloc[-1]
        if last["decision"] not in FINISHED:
            continue
        try:
            values = _values(last, settings, spec)
        except OutsideError as error:
            outside[str(error)] += 1
            continue
        people = frozenset(scored.get(str(name), ()))
        found.append(PastTrial(str(name), int(last["block"]), values, _rungs(rows), people))
    return Past(source, found, dict(outside))


def _settings(study: StudyInfo) -> dict[str, Any]:
    # Tables of before settings were recorded say how long trials were, at least. A key that a table
    # with settings lacks came later, with a default that changed nothing.
    if not study.settings:
        return {"pretrain.steps": study.steps}
    defaults = {
        f"{part}.{key}": entry.default
        for part, kind in PARTS.items()
        for key, entry in kind.model_fields.items()
    }
    return {**defaults, "pretrain.steps": study.steps, **study.settings}


def _values(row: pd.Series, settings: Mapping[str, Any], spec: SweepSpec) -> dict[str, Scalar]:
    if row["kind"] == "confirmation":
        raise OutsideError("of a confirmation")
    values = {**_members(row, spec), **_parts(row, settings, spec)}
    # Whatever else makes a policy what it is stands in its text: p_sum, choose, parameters.
    pool = spec.augmentations
    policy = draw_policy(pool, Recorded(values))
    if text_of(policy, pool.offered_of(policy)) != row["policy"]:
        raise OutsideError("its policy cannot be drawn here")
    return values


def _members(row: pd.Series, spec: SweepSpec) -> dict[str, Scalar]:
    pool = spec.augmentations
    switches = [str(column) for column in row.index if str(column).startswith("on.")]
    names = [column.removeprefix("on.") for column in switches if row[column]]
    for name in names:
        if name not in pool.members:
            raise OutsideError(f"{name} is not in the pool")
    low, high = pool.size
    if not low <= len(names) <= high:
        raise OutsideError(f"{len(names)} augmentations")
    values: dict[str, Scalar] = {"size": len(names), **_priorities(row, names, list(pool.members))}
    for name in names:
        entry = pool.members[name]
        columns = {f"hp.{name}.{key}": (key, drawn) for key, drawn in entry.parameters.items()}
        if entry.severity is not None:
            columns[f"severity.{name}"] = ("severity", entry.severity)
        # Equal weights are shares of p_sum in the table; the policy's text tells whether they fit.
        if not (pool.p_sum is not None and entry.p.kind == "fixed"):
            columns[f"p.{name}"] = ("p", entry.p)
        for column, (key, drawn) in columns.items():
            values[f"{key}.{name}"] = _held(drawn, row.get(column), f"{name}.{key}")
    return values


def _priorities(row: pd.Series, names: Sequence[str], members: Sequence[str]) -> dict[str, Scalar]:
    # The table has no priorities: any that put these members first drew this policy.
    generator = numpy_generator("warm start", trial=str(row["trial"]))
    drawn = sorted(generator.uniform(size=len(members)).tolist(), reverse=True)
    order = [*names, *(name for name in members if name not in names)]
    return {f"pick.{name}": priority for name, priority in zip(order, drawn, strict=True)}


def _parts(row: pd.Series, settings: Mapping[str, Any], spec: SweepSpec) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {}
    for path, setting in spec.settings.items():
        theirs = row.get(f"hp.{path}", settings.get(path))
        if path in spec.searched:
            values[path] = _held(spec.searched[path], theirs, path)
        elif path in settings and theirs != setting:
            raise OutsideError(f"{path} is {theirs}")
    return values


def _held(drawn: Range, value: Any, what: str) -> Scalar:
    held = None if value is None or value != value else drawn.held(value)
    if held is None:
        raise OutsideError(f"{what} is {value}")
    return held


def _rungs(rows: pd.DataFrame) -> list[dict[str, Any]]:
    kept = rows[["rung", "step", *OBJECTIVES]].to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in kept]
