"""Ray Tune's schedulers by the names that a search space gives them: which trial goes on."""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
from ray.tune.experiment import Trial
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, TrialScheduler

from sleepsweep.folder.record import TrialRecord
from sleepsweep.seeds import numpy_generator
from sleepsweep.spec.sweepspec import SweepSpec

STEP = "step"
CONTINUE, STOP = str(TrialScheduler.CONTINUE), str(TrialScheduler.STOP)


class RungScheduler(FIFOScheduler):
    """Ends a trial at its last rung, or when it has collapsed; nothing else stops it."""

    def __init__(self, last_step: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._last_step = last_step

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """The first trial that waits to be run; None if there is none.

        Among those that have not ended: Ray's own looks at every trial of the sweep at each event.
        """
        live = tune_controller.get_live_trials()
        waiting = (trial for trial in live if trial.status == Trial.PENDING)
        return min(waiting, key=lambda trial: trial.config["order"], default=None)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Decide whether a trial goes on after a rung."""
        if result[STEP] >= self._last_step:
            return STOP
        # A collapsed trial is an outcome, at chance: it too stands at the rung for others to beat.
        decision = self._at_rung(trial.config, result)
        return STOP if result["collapsed"] else decision

    def _at_rung(self, config: dict[str, Any], result: dict[str, Any]) -> str:
        return CONTINUE


class BlockwiseScheduler(RungScheduler):
    """Compares the trials of a block, and never those of two.

    Different subject splits differ by more than most augmentations do. All trials count at the
    rungs; only searched ones may be stopped, and designed ones where that is asked for.
    """

    def __init__(self, spec: SweepSpec) -> None:
        super().__init__(spec.pretrain.steps)
        self._score = spec.objectives[0]
        self._stopped = ("search", "design") if spec.search.stop_designs else ("search",)

    def remember(self, records: Iterable[TrialRecord]) -> None:
        """Compare with the trials of an earlier launch too: Ray does not save what it has seen."""
        # A baseline is no rival of policies; live, it ends before it is compared.
        for record in (each for each in records if each.has_policy):
            for row in record.rows:
                self._compare(record.trial.id, (record.trial.block, row["bracket"]), row)

    def _at_rung(self, config: dict[str, Any], result: dict[str, Any]) -> str:
        decision = self._compare(config["id"], (config["block"], config["bracket"]), result)
        return decision if config["kind"] in self._stopped else CONTINUE

    def _compare(self, trial: str, among: tuple[int, int], result: dict[str, Any]) -> str:
        """Note a trial's result at a rung, and decide by those noted among its block and bracket.

        Trials are known by their own identity: Ray's changes with every launch. A rung that a
        restarted worker reports again has been decided.
        """
        raise NotImplementedError


class BlockwiseHalving(BlockwiseScheduler):
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934) within each block.

    A trial of bracket *b* is first compared at the rung after *b* others, with trials of its
    bracket: with one bracket this is ASHA, with several Hyperband (Li et al. 2018, JMLR 18:185).
    """

    def __init__(self, spec: SweepSpec) -> None:
        super().__init__(spec)
        self._rule = spec.scheduler
        self._halving: dict[tuple[int, int], Any] = {}
        self._compared: set[str] = set()

    def _compare(self, trial: str, among: tuple[int, int], result: dict[str, Any]) -> str:
        grace = self._rule.grace_steps * self._rule.factor ** among[1]
        if grace >= self._last_step:
            return CONTINUE
        if among not in self._halving:
            self._halving[among] = AsyncHyperBandScheduler(
                time_attr=STEP, metric=self._score, mode="max", max_t=self._last_step,
                grace_period=grace, reduction_factor=self._rule.factor,
            )  # fmt: skip
        halving, named = self._halving[among], SimpleNamespace(trial_id=trial)
        if trial not in self._compared:
            self._compared.add(trial)
            halving.on_trial_add(None, named)
        return str(halving.on_trial_result(None, named, result))


# Fewer others at a rung have no median worth stopping for.
ENOUGH = 3


class BlockwiseMedian(BlockwiseScheduler):
    """Median stopping (Golovin et al. 2017, Google Vizier, section 3.2.2) within each block.

    A trial stops when its best score so far is below the median of the others' running means up to
    the same rung. The others are those that have come to that rung, finished or not: waiting for
    finished ones would let the first trials that run at once all go to their ends.
    """

    def __init__(self, spec: SweepSpec) -> None:
        super().__init__(spec)
        self._scores: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def _compare(self, trial: str, among: tuple[int, int], result: dict[str, Any]) -> str:
        block = self._scores[among[0]]
        mine = block[trial]
        if result["rung"] < len(mine):
            return CONTINUE
        mine.append(float(result[self._score]))
        rungs = len(mine)
        others = [sum(theirs[:rungs]) / rungs for name, theirs in block.items()
                  if name != trial and len(theirs) >= rungs]  # fmt: skip
        behind = len(others) >= ENOUGH and max(mine) < median(others)
        return STOP if behind else CONTINUE


def bracket_of(spec: SweepSpec, order: int) -> int:
    """Return the bracket of the trial at `order`: at how many rungs it is not compared yet.

    Hyperband (Li et al. 2018, JMLR 18:185, algorithm 1) gives a bracket of *k* halvings
    ⌈(K + 1) / (k + 1) · factor^k⌉ of its trials, K the most there can be; here that is the weight
    with which trials are dealt out. Under another scheduler there is one bracket.
    """
    if spec.scheduler.name != "hyperband":
        return 0
    most, factor = len(spec.rungs) - 1, spec.scheduler.factor
    weights = [ceil((most + 1) / (k + 1) * factor**k) for k in range(most, -1, -1)]
    place = numpy_generator("bracket", seed=spec.seed, order=order).integers(sum(weights))
    return int(np.searchsorted(np.cumsum(weights), place, side="right"))


BLOCKWISE: dict[str, type[BlockwiseScheduler]] = {
    "asha": BlockwiseHalving, "hyperband": BlockwiseHalving, "median": BlockwiseMedian
}  # fmt: skip


def make_scheduler(spec: SweepSpec, records: Iterable[TrialRecord]) -> RungScheduler:
    """Return the scheduler that the spec names, which knows the trials of an earlier launch."""
    kind = BLOCKWISE.get(spec.scheduler.name)
    if kind is None:
        return RungScheduler(spec.pretrain.steps)
    scheduler = kind(spec)
    scheduler.remember(records)
    return scheduler
