"""Which trial comes next: the slots of a sweep, and Optuna for those that are left to it."""

import warnings
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import Any

import optuna
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sleepsweep.ranges import Draws, Suggest
from sleepsweep.samplers import SAMPLERS, PerSuggestionSampler
from sleepsweep.schedulers import STEP, bracket_of
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
from sleepsweep.spec import OBJECTIVES
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.trial import TrialSpec
from sleepsweep.warmstart import PastTrial


class PruningOptunaSearch(OptunaSearch):
    """Ray's Optuna search, but a trial that was stopped early is told PRUNED, not COMPLETE.

    Told COMPLETE, its early score would stand beside full-length ones and mislead the sampler.
    """

    def __init__(self, last_step: int, **options: Any) -> None:
        super().__init__(**options)
        self._last_step = last_step

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell Optuna how the trial ended."""
        if result and result[STEP] < self._last_step:
            self.on_trial_result(trial_id, result)
            result = None
        super().on_trial_complete(trial_id, result, error)


class SweepSearcher(Searcher):
    """Hands out a sweep's slots in order; asks Optuna for those that are left to the search.

    `records` are the trials of an earlier launch: what the finished ones found is Optuna's history,
    which `study` shows; `past` are those of another sweep, told before them. `given_up` are the
    orders of slots for which the space held no policy that had not been drawn before.
    """

    def __init__(
        self, space: Space, slots: Iterable[Slot], records: Sequence[TrialRecord],
        past: Iterable[PastTrial] = (),
    ) -> None:  # fmt: skip
        spec = space.spec
        super().__init__(metric=spec.objectives[0], mode="max")
        self._space = space
        self._slots = deque(slots)
        self._known = {slot.trial.id for slot in self._slots if slot.trial is not None}
        self._known |= {record.trial.id for record in records}
        self._kind = SAMPLERS[spec.search.sampler_name]
        self._sampler = PerSuggestionSampler(self._kind.make)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.InMemoryStorage()
        self._optuna = PruningOptunaSearch(
            spec.pretrain.steps, space=self._define, **_sought(spec.objectives),
            sampler=self._sampler, storage=storage, study_name=spec.name,
        )  # fmt: skip
        # By which name Optuna knows the suggestion that became a trial of Ray.
        self._asked: dict[str, str] = {}
        self._suggestions = {record.order: record.suggestion for record in records}
        self._resumed: dict[str, dict[str, Any]] = {}
        self.given_up: set[int] = set()
        self.study = optuna.load_study(study_name=spec.name, storage=storage)
        for trial in past:
            self.study.add_trial(self._told(self._suggestion(trial), trial.rows))
        for record in records:
            if record.suggestion and record.is_finished:
                self.study.add_trial(self._told(record.suggestion, record.rows))

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of the next trial, or FINISHED when none is left."""
        while self._slots:
            slot = self._slots.popleft()
            bracket = bracket_of(self._space.spec, slot.order)
            if slot.trial is not None:
                self._resumed[trial_id] = self._suggestions.get(slot.order, {})
                return configuration(slot, bracket, slot.trial, {})
            found = self._search(trial_id, slot)
            if found is not None:
                return configuration(slot, bracket, *found)
            self.given_up.add(slot.order)
        return Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Tell Optuna a rung's score, if the trial was its own."""
        if trial_id in self._asked:
            self._optuna.on_trial_result(self._asked[trial_id], result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell Optuna how a trial ended, if it was its own."""
        if trial_id in self._asked:
            self._optuna.on_trial_complete(self._asked[trial_id], result, error)
        elif result and not error and self._resumed.get(trial_id):
            # Suggested in an earlier launch: this study has not asked for it, only hears of it.
            self.study.add_trial(self._told(self._resumed[trial_id], [result]))

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the sweep's folder holds what a new launch needs."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: see `save`."""

    def _suggestion(self, trial: PastTrial) -> dict[str, Any]:
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
            key = f"{trial_id}-{attempt}"
            seed = self._space.spec.seed
            self._sampler.begin(stream("search", seed=seed, order=slot.order, n=attempt) % 2**32)
            with warnings.catch_warnings():
                # A Gaussian process takes seconds, which Ray takes for a mistake of ours.
                warnings.filterwarnings("ignore", "Define-by-run function")
                suggestion: dict[str, Any] = self._optuna.suggest(key) or {}
            recorded = Recorded(suggestion)
            policy = draw_policy(self._space.spec.augmentations, recorded)
            trial = self._space.trial(policy, slot.block, self._space.parts(recorded))
            if trial.id not in self._known:
                self._known.add(trial.id)
                self._asked[trial_id] = key
                return trial, suggestion
            self._optuna.on_trial_complete(key, error=True)
        return None

    def _told(self, suggestion: dict[str, Any], rows: Sequence[Mapping[str, Any]]) -> FrozenTrial:
        replayed = FixedTrial(suggestion)
        self._define(replayed)
        first, *others = self._space.spec.objectives
        values = [rows[-1][name] for name in (first, *others)]
        # Optuna takes no NaN for a result: κ of one stage that is always predicted is one.
        finished = rows[-1][STEP] >= self._space.spec.pretrain.steps and not any(map(isnan, values))
        before = len(self.study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]))
        return create_trial(
            state=TrialState.COMPLETE if finished else TrialState.PRUNED,
            values=values if finished else None,
            params=suggestion,
            distributions=replayed.distributions,
            # Optuna ranks stopped trials by one objective only.
            intermediate_values={} if others else {row["rung"] + 1: row[first] for row in rows},
            system_attrs=self._kind.memory(before),
        )


def _sought(objectives: Sequence[str]) -> dict[str, Any]:
    # Of a single one in a list Ray tells Optuna no rungs.
    modes = [OBJECTIVES[name] for name in objectives]
    if len(modes) == 1:
        return {"metric": objectives[0], "mode": modes[0]}
    return {"metric": list(objectives), "mode": modes}


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
