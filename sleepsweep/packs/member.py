"""A member of a pack: a trial, what it has asked for, and what it is told."""

import asyncio
import os
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.probedrun import ProbedRun
from sleepsweep.probing import Embedded
from sleepsweep.systemmetrics import sampled
from sleepsweep.trial import TrialSpec
from sleepsweep.worker import Worker


@dataclass(frozen=True)
class Reached:
    """What a member is told at a rung: its mean loss since the one before, its embeddings.

    `spent_s` is its share of the seconds since then: those of a round are divided evenly among
    its members, and those of its own embeddings added.
    """

    loss: float
    spent_s: float
    embedded: Embedded


class Member:
    """A trial in a pack, and what it has asked for."""

    def __init__(self, trial: TrialSpec, worker: Worker) -> None:
        files = worker.folder.trial(trial.id)
        self._checkpoint = files.checkpoint
        self._begun = partial(ProbedRun, trial, worker.store, worker.exam, worker.device)
        self.run = self._begun()
        self._forget()
        self._reached: asyncio.Future[Reached] | None = None
        self._until = 0
        self._open = ExitStack()
        if worker.watched:
            self._open.enter_context(sampled(files.samples, worker.device))

    @property
    def left(self) -> int:
        """The steps to the rung that was asked for; 0 where none is."""
        return 0 if self._reached is None else self._until - self.run.pretraining.step

    def ask(self, step: int) -> "asyncio.Future[Reached]":
        """Ask for the training up to a step; return where it will be told of."""
        self._until = step
        self._reached = asyncio.get_running_loop().create_future()
        return self._reached

    def advance(self, steps: int, loss: float, share_s: float) -> None:
        """Note a round, and tell of the rung where it has led there."""
        self._steps += steps
        self._losses += steps * loss
        self._spent_s += share_s
        if self.left == 0:
            try:
                self._arrive()
            except Exception as error:  # noqa: BLE001 - of whatever kind, its trial is told of it
                leave_a_lost_gpu(error)
                self.fail(error)

    def _arrive(self) -> None:
        started = time.perf_counter()
        embedded = self.run.embedded()
        spent_s = self._spent_s + time.perf_counter() - started
        self._answer().set_result(Reached(self._losses / self._steps, spent_s, embedded))
        self._forget()

    def fail(self, error: Exception) -> None:
        """Tell of an error instead of a rung."""
        self._answer().set_exception(error)

    def begin_again(self) -> bool:
        """Go back to the last checkpoint; return whether that was possible, or has failed too."""
        try:
            self.run = self._begun()
            if self._checkpoint.exists():
                self.restore()
        except Exception as error:  # noqa: BLE001 - of whatever kind, its trial is told of it
            leave_a_lost_gpu(error)
            self.fail(error)
            return False
        self._forget()
        return True

    def save(self, rungs: Sequence[dict[str, Any]]) -> None:
        self.run.save(self._checkpoint, rungs)

    def restore(self) -> list[dict[str, Any]]:
        return self.run.restore(self._checkpoint)

    def close(self) -> None:
        """End what it has asked for, and what watches it."""
        if self._reached is not None:
            self._reached.cancel()
        self._open.close()

    def _answer(self) -> "asyncio.Future[Reached]":
        assert self._reached is not None, "nothing was asked for"
        reached, self._reached = self._reached, None
        return reached

    def _forget(self) -> None:
        self._steps, self._losses, self._spent_s = 0, 0.0, 0.0


def leave_a_lost_gpu(error: Exception) -> None:
    """End the process after an error that a GPU goes on raising in it; Ray starts another one."""
    if isinstance(error, torch.AcceleratorError) and not is_gpu_full(str(error)):
        traceback.print_exception(error)
        os._exit(1)
