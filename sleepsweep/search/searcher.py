"""Which trial comes next: the slots of a sweep, and Optuna for those that are left to it."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from ray.tune.search import Searcher

from sleepsweep.folder.record import TrialRecord
from sleepsweep.search.history import Entry, History
from sleepsweep.search.samplers import SAMPLERS
from sleepsweep.search.schedulers import bracket_of
from sleepsweep.search.warmstart import NO_PAST, Past, PastTrial
from sleepsweep.seeds import numpy_generator, stream
from sleepsweep.space import (
    ATTEMPTS,
    Completed,
    Recorded,
    Slot,
    Space,
    draw_policy,
    suggest_everything,
)
from sleepsweep.spec.ranges import Draws, Suggest
from sleepsweep.trial import TrialSpec

# A sampler that is sure of what it wants suggests it again and again, though it has been run.
SURE = 8

# The sweep itself, among those that its search knows.
OWN = ""


class SweepSearcher(Searcher):
    """Hands out a sweep's slots in order; asks Optuna for those that are left to the search.

    `records` are the trials of an earlier launch, whose suggestions and rungs are known to the
    search, as are those of `past`, another sweep. `given_up` are the orders of slots for which the
    space held no policy that had not been drawn before.
    """

    def __init__(
        self, space: Space, slots: Iterable[Slot], records: Sequence[TrialRecord],
        past: Past = NO_PAST,
    ) -> None:  # fmt: skip
        spec = space.spec
        super().__init__(metric=spec.objectives[0], mode="max")
        self._space = space
        self._slots = deque(slots)
        self._known = {slot.trial.id for slot in self._slots if slot.trial is not None}
        self._known |= {record.trial.id for record in records}
        self._kind = SAMPLERS[spec.search.sampler_name]
        self.history = History(self._define, spec.objectives, spec.pretrain.steps, self._kind)
        self._entries: dict[str, Entry] = {}
        self._begun: dict[int, TrialRecord] = {}
        self._orders = {record.trial.id: record.order for record in records}
        self.given_up: set[int] = set()
        for trial in past.trials:
            suggestion = self._completed(trial)
            self.history.add(suggestion, (past.source, trial.block), trial.rows, ended=True)
        for record in records:
            if record.is_finished and record.trial.baseline is None:
                self._add(record, ended=True)
            self._begun[record.order] = record

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of the next trial, or FINISHED when none is left."""
        while self._slots:
            slot = self._slots.popleft()
            bracket = bracket_of(self._space.spec, slot.order)
            if slot.trial is not None and self._ran_elsewhere(slot.trial.id, slot.order):
                self.given_up.add(slot.order)
                continue
            if slot.trial is not None:
                # A baseline says nothing of policies, and its one rung is none of theirs.
                if slot.trial.baseline is None:
                    self._entries[trial_id] = self._designed(slot)
                return configuration(slot, bracket, slot.trial, {})
            found = self._search(trial_id, slot)
            if found is not None:
                return configuration(slot, bracket, *found)
            self.given_up.add(slot.order)
        return Searcher.FINISHED

    def _ran_elsewhere(self, identity: str, order: int) -> bool:
        # An anchor that `extend` has drawn may be what an earlier search had found.
        return self._orders.get(identity, order) != order

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Note a rung."""
        if entry := self._entries.get(trial_id):
            entry.add(result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Note how a trial ended."""
        entry = self._entries.pop(trial_id, None)
        if entry is None:
            return
        if error or not result:
            self.history.forget(entry)
            return
        entry.add(result)
        entry.ended = True

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the sweep's folder holds what a new launch needs."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: see `save`."""

    def _designed(self, slot: Slot) -> Entry:
        begun = self._begun.get(slot.order)
        if begun is None:
            return self.history.add(None, (OWN, slot.block))
        return self._add(begun, ended=False)

    def _add(self, record: TrialRecord, *, ended: bool) -> Entry:
        return self.history.add(
            record.suggestion or None, (OWN, record.trial.block), record.rows, ended=ended
        )

    def _completed(self, trial: PastTrial) -> dict[str, Any]:
        # Values that its policy did not need, and a flat sampler asks for, are any.
        draws = Draws(numpy_generator("warm start values", trial=trial.id))
        completed = Completed(Recorded(trial.values), draws)
        self._define(completed)
        return completed.asked

    def _define(self, trial: Suggest) -> None:
        if self._kind.flat:
            suggest_everything(self._space.spec.augmentations, trial)
        draw_policy(self._space.spec.augmentations, trial)
        self._space.parts(trial)

    def _search(self, trial_id: str, slot: Slot) -> tuple[TrialSpec, dict[str, Any]] | None:
        # A policy that this block has seen would only repeat a known result: it is asked again.
        for attempt in range(ATTEMPTS):
            seed = stream("search", seed=self._space.spec.seed, order=slot.order, n=attempt) % 2**32
            sampler = self._kind if attempt < SURE else SAMPLERS["random"]
            suggestion, notes = self.history.ask(seed, sampler)
            recorded = Recorded(suggestion)
            policy = draw_policy(self._space.spec.augmentations, recorded)
            trial = self._space.trial(policy, slot.block, self._space.parts(recorded))
            if trial.id not in self._known:
                self._known.add(trial.id)
                self._entries[trial_id] = self.history.add(
                    suggestion, (OWN, slot.block), notes=notes
                )
                return trial, suggestion
        return None


def configuration(
    slot: Slot, bracket: int, trial: TrialSpec, suggestion: dict[str, Any]
) -> dict[str, Any]:
    """Return what Ray carries to a worker, and what the driver reads back from a Ray trial."""
    return {
        "trial": trial.model_dump(mode="json"),
        "id": trial.id,
        "order": slot.order,
        "kind": slot.kind,
        "design": slot.design,
        "block": slot.block,
        "bracket": bracket,
        "suggestion": suggestion,
    }
