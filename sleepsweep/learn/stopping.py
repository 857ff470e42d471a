"""A single pretraining from its first step to its end: checks, early stopping, resuming.

In a sweep the scheduler stops trials instead, at rungs at which they are probed.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sleepsweep.errors import UserError
from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint
from sleepsweep.learn.collapse import COLLAPSED_SPREAD, spread_of
from sleepsweep.learn.memory import forget_peak, peak_memory_mib
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.probe import embed
from sleepsweep.learn.rows import Gather, spread_evenly

Rows = NDArray[np.int64]
Ended = Literal["complete", "no_improvement", "collapsed", "diverged"]

# Where no interval is given.
CHECKS = 10


@dataclass(frozen=True)
class Check:
    """Where a pretraining stands after `step` steps.

    `loss` is the mean training loss since the check before, `validation_loss` that of subjects
    that are not trained on. `samples_per_s` counts the epochs that were trained on since the check
    before, in each second of training; `memory_mib` is the most memory used so far, of the GPU
    where there is one.
    """

    step: int
    loss: float
    validation_loss: float
    samples_per_s: float
    memory_mib: float


@dataclass(frozen=True)
class Outcome:
    """How a pretraining ended, after how many steps, and whose network was kept."""

    steps: int
    ended: Ended
    best_step: int
    checks: tuple[Check, ...]


def run_course(
    pretraining: Pretraining, gather: Gather, train_rows: Rows, validation_rows: Rows,
    checkpoint: Path | None, on_check: Callable[[Check], None],
) -> Outcome:  # fmt: skip
    """Pretrain to the end, and leave the network that is kept in `pretraining`.

    There is a check each ``check_interval`` steps, and the course ends at the first that does not
    improve on the best validation loss by ``min_improvement``; the network of the lowest validation
    loss is kept. Without an interval there are ten checks, and the last network is kept. A network
    that has collapsed or whose loss is no number ends the course, too.

    With a `checkpoint` path the state is saved at every check, before `on_check` hears of it, and a
    run that finds one continues behind it, bit for bit on CPU; what has ended is told again.
    `on_check` hears of new checks only. Raises `UserError` for a checkpoint of other settings.
    """
    forget_peak(pretraining.device)
    course = _Course(pretraining, gather, train_rows, validation_rows)
    if checkpoint and checkpoint.exists():
        course.restore(load_checkpoint(checkpoint), checkpoint)
    while (ended := course.ended) is None:
        check = course.next_check()
        if checkpoint:
            save_checkpoint(course.state(), checkpoint)
        on_check(check)
    return course.outcome(ended)


class _Course:
    def __init__(
        self, pretraining: Pretraining, gather: Gather, train_rows: Rows, validation_rows: Rows
    ) -> None:
        self._run, self._gather = pretraining, gather
        self._train, self._validation = train_rows, validation_rows
        self._checks: list[Check] = []
        self._kept: dict[str, Any] = {}
        self._best_step = 0
        self.ended: Ended | None = None

    @property
    def _stops_early(self) -> bool:
        return self._run.spec.check_interval is not None

    def next_check(self) -> Check:
        """Train up to the next check, and judge it."""
        spec = self._run.spec
        interval = spec.check_interval or math.ceil(spec.steps / CHECKS)
        check = self._train_and_check(min(self._run.step + interval, spec.steps))
        lowest = min((past.validation_loss for past in self._checks), default=math.inf)
        self._checks.append(check)
        self.ended = self._verdict(check, lowest)
        sound = self.ended in ("complete", "no_improvement", None)
        if not self._stops_early or not self._kept or (sound and check.validation_loss < lowest):
            self._best_step, self._kept = check.step, self._run.networks()
        return check

    def _train_and_check(self, until: int) -> Check:
        run, before, started = self._run, self._run.step, time.perf_counter()
        loss = run.run(self._gather, self._train, until)
        seen = (run.step - before) * min(run.spec.batch_size, len(self._train))
        rate = seen / (time.perf_counter() - started)
        return Check(
            step=run.step,
            loss=loss,
            validation_loss=run.validation_loss(self._gather, self._validation),
            samples_per_s=rate,
            memory_mib=peak_memory_mib(run.device),
        )

    def _verdict(self, check: Check, lowest: float) -> Ended | None:
        if not (math.isfinite(check.loss) and math.isfinite(check.validation_loss)):
            return "diverged"
        if self._has_collapsed():
            return "collapsed"
        if check.step == self._run.spec.steps:
            return "complete"
        if self._stops_early and lowest - check.validation_loss < self._run.spec.min_improvement:
            return "no_improvement"
        return None

    def _has_collapsed(self) -> bool:
        # As many as a batch show whether all lie in one place.
        some = spread_evenly(self._validation, self._run.spec.batch_size)
        return not spread_of(embed(self._run.encoder, self._gather(some))) > COLLAPSED_SPREAD

    def outcome(self, ended: Ended) -> Outcome:
        """Put the kept network in place, and say how it ended."""
        self._run.restore_networks(self._kept)
        return Outcome(self._run.step, ended, self._best_step, tuple(self._checks))

    def state(self) -> dict[str, Any]:
        """Everything that a resumed course needs, as tensors and plain values."""
        return {
            "settings": self._run.spec.model_dump(mode="json"),
            "pretraining": self._run.state(),
            "kept": self._kept,
            "best_step": self._best_step,
            "checks": [asdict(check) for check in self._checks],
            "ended": self.ended,
        }

    def restore(self, state: dict[str, Any], path: Path) -> None:
        """Continue from what `state` returned, and `path` held."""
        self._refuse_others(state, path)
        try:
            self._run.restore(state["pretraining"])
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{path} is of another encoder: {error}") from error
        self._kept, self._best_step = state["kept"], state["best_step"]
        self._checks = [Check(**check) for check in state["checks"]]
        self.ended = state["ended"]

    def _refuse_others(self, state: dict[str, Any], path: Path) -> None:
        theirs, ours = state.get("settings"), self._run.spec.model_dump(mode="json")
        if theirs is None:
            raise UserError(f"{path} is no checkpoint of a single pretraining; name another file.")
        changed = sorted(k for k in {*theirs, *ours} if theirs.get(k) != ours.get(k))
        if changed:
            raise UserError(
                f"{path} is of a pretraining with other settings ({', '.join(changed)}). Give it "
                "those settings, or another place for its checkpoint to begin anew."
            )
