"""Which trial comes next and which goes on: searchers and schedulers.

The only file that knows the classes of Optuna and of Ray Tune's search and scheduling.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FixedTrial, FrozenTrial, TrialState, create_trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from sleepsweep.seeds import stream
from sleepsweep.space import ATTEMPTS, Recorded, Slot, Space, draw_policy
from sleepsweep.spec import SchedulerSpec, SweepSpec
from sleepsweep.sweepfolder import TrialRecord
from sleepsweep.trial import TrialSpec

METRIC = "macro_f1"
STEP = "step"

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "random": lambda seed: RandomSampler(seed=seed),
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, constant_liar=True),
}


class PerSuggestionSampler(BaseSampler):
    """A sampler that starts anew for each suggestion, from a seed that names the suggestion.

    What it draws then depends on the study's history and on that seed alone: random draws are the
    same whether a search was interrupted or not.
    """

    def __init__(self, make: Callable[[int], BaseSampler]) -> None:
        self._make = make
        self._sampler = make(0)

    def begin(self, seed: int) -> None:
        """Start the suggestion named by `seed`."""
        self._sampler = self._make(seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # fmt: skip
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState,
        values: Sequence[float] | None,
    ) -> None:  # fmt: skip
        """See `optuna.samplers.BaseSampler`."""
        self._sampler.after_trial(study, trial, state, values)


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
    which `study` shows. `given_up` are the orders of slots for which the space held no policy that
    had not been drawn before.
    """

    def __init__(self, space: Space, slots: Iterable[Slot], records: Sequence[TrialRecord]) -> None:
        super().__init__(metric=METRIC, mode="max")
        self._space = space
        self._slots = deque(slots)
        self._known = {slot.trial.id for slot in self._slots if slot.trial is not None}
        self._known |= {record.trial.id for record in records}
        self._sampler = PerSuggestionSampler(SAMPLERS[space.spec.search.sampler_name])
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        storage = optuna.storages.InMemoryStorage()
        self._optuna = PruningOptunaSearch(
            space.spec.pretrain.steps, space=self._define, metric=METRIC, mode="max",
            sampler=self._sampler, storage=storage, study_name=space.spec.name,
        )  # fmt: skip
        self._searched: set[str] = set()
        self._suggestions = {record.order: record.suggestion for record in records}
        self._resumed: dict[str, dict[str, Any]] = {}
        self.given_up: set[int] = set()
        self.study = optuna.load_study(study_name=space.spec.name, storage=storage)
        for record in records:
            if record.suggestion and record.is_finished:
                self.study.add_trial(self._told(record.suggestion, record.rows))

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of the next trial, or FINISHED when none is left."""
        while self._slots:
            slot = self._slots.popleft()
            if slot.trial is not None:
                self._resumed[trial_id] = self._suggestions.get(slot.order, {})
                return configuration(slot, slot.trial, {})
            found = self._search(trial_id, slot)
            if found is not None:
                self._searched.add(trial_id)
                return configuration(slot, *found)
            self.given_up.add(slot.order)
        return Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Tell Optuna a rung's score, if the trial was its own."""
        if trial_id in self._searched:
            self._optuna.on_trial_result(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell Optuna how a trial ended, if it was its own."""
        if trial_id in self._searched:
            self._optuna.on_trial_complete(trial_id, result, error)
        elif result and not error and self._resumed.get(trial_id):
            # Suggested in an earlier launch: this study has not asked for it, only hears of it.
            self.study.add_trial(self._told(self._resumed[trial_id], [result]))

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the sweep's folder holds what a new launch needs."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: see `save`."""

    def _define(self, trial: optuna.Trial) -> None:
        draw_policy(self._space.spec.augmentations, trial)

    def _search(self, trial_id: str, slot: Slot) -> tuple[TrialSpec, dict[str, Any]] | None:
        # A policy that this block has seen would only repeat a known result: it is asked again.
        for attempt in range(ATTEMPTS):
            key = trial_id if attempt == 0 else f"{trial_id}-{attempt}"
            seed = self._space.spec.seed
            self._sampler.begin(stream("search", seed=seed, order=slot.order, n=attempt) % 2**32)
            suggestion: dict[str, Any] = self._optuna.suggest(key) or {}
            policy = draw_policy(self._space.spec.augmentations, Recorded(suggestion))
            trial = self._space.trial(policy, slot.block)
            if trial.id not in self._known:
                self._known.add(trial.id)
                return trial, suggestion
            self._optuna.on_trial_complete(key, error=True)
        return None

    def _told(self, suggestion: dict[str, Any], rows: Sequence[dict[str, Any]]) -> FrozenTrial:
        replayed = FixedTrial(suggestion)
        self._define(replayed)  # type: ignore[arg-type]
        finished = rows[-1][STEP] >= self._space.spec.pretrain.steps
        return create_trial(
            state=TrialState.COMPLETE if finished else TrialState.PRUNED,
            value=rows[-1][METRIC] if finished else None,
            params=suggestion,
            distributions=replayed.distributions,
            intermediate_values={row["rung"] + 1: row[METRIC] for row in rows},
        )


def configuration(slot: Slot, trial: TrialSpec, suggestion: dict[str, Any]) -> dict[str, Any]:
    """Return what Ray carries to a worker, and what the driver reads back from a Ray trial."""
    return {
        "trial": trial.model_dump(mode="json"),
        "id": trial.id,
        "order": slot.order,
        "kind": slot.kind,
        "design": slot.design,
        "block": slot.block,
        "suggestion": suggestion,
    }


class RungScheduler(FIFOScheduler):
    """Ends a trial at its last rung, or when it has collapsed; nothing else stops it."""

    def __init__(self, last_step: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._last_step = last_step

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide whether a trial goes on after a rung."""
        if result[STEP] >= self._last_step:
            return str(TrialScheduler.STOP)
        # A collapsed trial is an outcome, at chance: it too stands at the rung for others to beat.
        decision = self._at_rung(trial.config, result)
        return str(TrialScheduler.STOP) if result["collapsed"] else decision

    def _at_rung(self, config: dict[str, Any], result: dict[str, Any]) -> str:
        return str(TrialScheduler.CONTINUE)


class BlockwiseASHA(RungScheduler):
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934) within each block.

    Trials of different subject splits are never compared: the splits differ by more than most
    augmentations do. All trials count at the rungs; those of the kinds in `stopped` may be stopped.
    `records` of an earlier launch fill the rungs, which Ray itself does not save.
    """

    def __init__(
        self, spec: SchedulerSpec, last_step: int, blocks: int, records: Iterable[TrialRecord],
        stopped: Collection[str] = ("search",),
    ) -> None:  # fmt: skip
        super().__init__(last_step)
        self._halving = [
            AsyncHyperBandScheduler(
                time_attr=STEP, metric=METRIC, mode="max", max_t=last_step,
                grace_period=spec.grace_steps, reduction_factor=spec.factor,
            )
            for _ in range(blocks)
        ]  # fmt: skip
        self._stopped = stopped
        self._compared: set[str] = set()
        for record in records:
            # A baseline is no rival of policies; live, it ends before it is compared.
            for row in record.rows if record.kind != "baseline" else ():
                self._compare(record.trial.id, record.trial.block, row)

    def _at_rung(self, config: dict[str, Any], result: dict[str, Any]) -> str:
        decision = self._compare(config["id"], config["block"], result)
        return decision if config["kind"] in self._stopped else str(TrialScheduler.CONTINUE)

    def _compare(self, trial: str, block: int, result: dict[str, Any]) -> str:
        # Trials are known to the rungs by their own identity: Ray's changes with every launch.
        halving: Any = self._halving[block]
        named = SimpleNamespace(trial_id=trial)
        if trial not in self._compared:
            self._compared.add(trial)
            halving.on_trial_add(None, named)
        return str(halving.on_trial_result(None, named, result))


def make_scheduler(spec: SweepSpec, records: Iterable[TrialRecord]) -> RungScheduler:
    """Return the scheduler that the spec names."""
    last = spec.pretrain.steps
    if spec.scheduler.name == "none":
        return RungScheduler(last)
    stopped = ("search", "design") if spec.search.stop_designs else ("search",)
    return BlockwiseASHA(spec.scheduler, last, spec.split.blocks, records, stopped)
