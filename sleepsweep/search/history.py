"""What a search knows: suggestions and their rungs, as an Optuna study made anew when it is asked.

A study keeps what it was told. Here a score is told in comparison with those of its block, and what
a block is worth becomes clearer with each of its trials.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from statistics import fmean
from typing import Any, Self

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FixedTrial, FrozenTrial, TrialState

from sleepsweep.search.samplers import Sampler
from sleepsweep.spec.objectives import OBJECTIVES
from sleepsweep.spec.ranges import Suggest

UNTIMED = datetime(1970, 1, 1)
"""When a trial was run, which no sampler asks."""

Row = Mapping[str, Any]
Block = tuple[str, int]
Level = tuple[Block, int, str]
"""A block, a rung and a score."""


@dataclass
class Entry:
    """A trial and the rungs it has come to, in one `block` of a sweep (its name, a number).

    Without a `suggestion` it is one of the design, which shows what its block is worth. `notes` are
    what the sampler wrote down when it was asked.
    """

    suggestion: dict[str, Any] | None
    distributions: dict[str, BaseDistribution]
    block: Block
    rows: list[Row] = field(default_factory=list)
    ended: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Note a rung; a restarted worker reports those of its checkpoint again."""
        if row["rung"] >= len(self.rows):
            self.rows.append(row)


class _Told(FrozenTrial):
    """A trial as Optuna is told of it. It is made for one study, and nobody changes it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Optuna's own copy of each trial took most of the time of a suggestion after many.
        return copy(self)


class History:
    """Entries in the order in which they were added, and the study that they make.

    `define` suggests a trial's values. A trial that ended before `last_step` is PRUNED to Optuna
    and not COMPLETE: its early score must not stand beside full-length ones.

    Scores are told less the mean of their block at their rung, plus the mean of these means: the
    search chases good policies and not blocks of easy subjects. Trials are dealt out to blocks
    evenly and whatever they are, so that blocks differ in nothing else. Trials of the design count
    in these means, but Optuna does not hear of them.
    """

    def __init__(
        self, define: Callable[[Suggest], None], objectives: Sequence[str], last_step: int,
        sampler: Sampler,
    ) -> None:  # fmt: skip
        self._define = define
        self._objectives = tuple(objectives)
        self._last_step = last_step
        self._sampler = sampler
        self._entries: list[Entry] = []
        optuna.logging.set_verbosity(optuna.logging.WARNING)

    def add(
        self, suggestion: dict[str, Any] | None, block: Block, rows: Iterable[Row] = (), *,
        ended: bool = False, notes: Mapping[str, Any] | None = None,
    ) -> Entry:  # fmt: skip
        """Add a trial, with the rungs that it has come to already."""
        replayed = FixedTrial(suggestion or {})
        if suggestion is not None:
            self._define(replayed)
        entry = Entry(
            suggestion, replayed.distributions, block, list(rows), ended, dict(notes or {})
        )
        self._entries.append(entry)
        return entry

    def forget(self, entry: Entry) -> None:
        """Take out a trial that failed: it says nothing about its policy."""
        self._entries.remove(entry)

    def ask(self, seed: int, sampler: Sampler | None = None) -> tuple[dict[str, Any], Any]:
        """Return a suggestion of the sampler, or of another one, and its notes; adds nothing."""
        asked = sampler or self._sampler
        study = self._empty(asked.make(seed))
        if asked.learns:
            study.add_trials(self._all_told())
        trial = study.ask()
        self._define(trial)
        return trial.params, study.get_trials(deepcopy=False)[-1].system_attrs

    def study(self) -> optuna.Study:
        """Return the study of everything that is known now."""
        study = self._empty(None)
        study.add_trials(self._all_told())
        return study

    def _empty(self, sampler: BaseSampler | None) -> optuna.Study:
        directions = [
            StudyDirection.MAXIMIZE if OBJECTIVES[name] == "max" else StudyDirection.MINIMIZE
            for name in self._objectives
        ]
        return optuna.create_study(directions=directions, sampler=sampler)

    def _all_told(self) -> Iterator[FrozenTrial]:
        adjust = self._adjustments()
        complete = 0
        for entry in self._entries:
            if entry.suggestion is not None:
                told = self._told(entry, adjust, complete)
                complete += told.state is TrialState.COMPLETE
                yield told

    def _told(self, entry: Entry, adjust: Mapping[Level, float], complete: int) -> FrozenTrial:
        def told(row: Row, name: str) -> float:
            return float(row[name]) + adjust.get((entry.block, row["rung"], name), 0.0)

        state, values = TrialState.RUNNING, None
        first, *others = self._objectives
        if entry.ended:
            found = [told(entry.rows[-1], name) for name in self._objectives]
            # Optuna takes no NaN for a result: κ of one stage that is always predicted is one.
            whole = entry.rows[-1]["step"] >= self._last_step and not any(map(isnan, found))
            state, values = (TrialState.COMPLETE, found) if whole else (TrialState.PRUNED, None)
        # Optuna ranks stopped trials by one objective only.
        seen = {} if others else {row["rung"] + 1: told(row, first) for row in entry.rows}
        return _Told(
            number=-1, trial_id=-1, state=state, value=None, values=values,
            datetime_start=UNTIMED, datetime_complete=UNTIMED if entry.ended else None,
            params=entry.suggestion or {}, distributions=entry.distributions,
            intermediate_values=seen, user_attrs={},
            system_attrs=entry.notes or self._sampler.memory(complete),
        )  # fmt: skip

    def _adjustments(self) -> dict[Level, float]:
        """What is added to a score of a block at a rung: nothing where there is one block."""
        scores: dict[Level, list[float]] = defaultdict(list)
        for entry in self._entries:
            for row in entry.rows:
                for name in self._objectives:
                    if OBJECTIVES[name] == "max" and not isnan(row[name]):
                        scores[entry.block, row["rung"], name].append(row[name])
        means = {level: fmean(values) for level, values in scores.items()}
        of_sweeps: dict[tuple[str, int, str], list[float]] = defaultdict(list)
        for (block, rung, name), mean in means.items():
            of_sweeps[block[0], rung, name].append(mean)
        return {
            (block, rung, name): fmean(of_sweeps[block[0], rung, name]) - mean
            for (block, rung, name), mean in means.items()
        }
