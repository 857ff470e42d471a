"""A pack: trials that one process trains in one program, each as if it were alone.

A trial is a member from `Pack.join` to `Pack.leave`. It asks to be trained up to a rung, is handed
its embeddings there, and asks again when it is to go on. Those that have asked are trained
together, in rounds that end at the nearest rung of any of them. All of it happens in one thread,
so that what is asked meanwhile is done after the round, and no draw of torch's comes in between.
"""

import asyncio
import time
import traceback
from collections.abc import Sequence
from typing import Any

import torch

from sleepsweep.learn.memory import is_gpu_full
from sleepsweep.learn.pack import train_pack
from sleepsweep.packs.member import Member, Reached, leave_a_lost_gpu
from sleepsweep.trainable import check_stores
from sleepsweep.trial import TrialSpec
from sleepsweep.worker import Worker

MOST_STEPS = 50
"""Steps of a round at most: so long does a trial wait that joins, or comes back from its probe."""
PATIENCE = 0.1
"""The part of the last round's time that members who are being probed are waited for."""
BREATH_S = 0.01
"""Seconds after a round in which what was asked meanwhile is taken in."""


class Pack:
    """Trains up to `places` trials of a sweep at once.

    An error that one of them makes is raised to that one alone; see `_apart`.
    """

    def __init__(self, worker: Worker, places: int) -> None:
        torch.set_num_threads(worker.threads)
        self._worker, self._places = worker, places
        self._members: dict[str, Member] = {}
        self._asked = asyncio.Event()
        self._training: asyncio.Task[None] | None = None
        self._last_s = 0.0

    async def join(self, trial: TrialSpec) -> dict[str, str] | None:
        """Take a trial in; return where that is (`Worker.where`), or None where it is full.

        Its state is that of its first step. One that had joined before begins anew: its process
        was lost. Raises what `sleepsweep.trainable.run_trial` does.
        """
        await self.leave(trial.id)
        if len(self._members) >= self._places:
            return None
        check_stores(trial, self._worker.store, self._worker.exam)
        try:
            self._members[trial.id] = Member(trial, self._worker)
        except Exception as error:
            # Whoever joined next would meet it too, and so use up what trials are let fail.
            leave_a_lost_gpu(error)
            raise
        if self._training is None:
            self._training = asyncio.create_task(self._train())
        return self._worker.where

    async def train(self, trial_id: str, step: int) -> Reached:
        """Train a member up to a step."""
        assert self._training is not None, "nobody has joined"
        reached = self._members[trial_id].ask(step)
        self._asked.set()
        waiting: set[asyncio.Future[Any]] = {reached, self._training}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._training.done():
            # With an error of ours, by which alone it ends: everybody who waits has to know.
            self._training.result()
        return reached.result()

    async def save(self, trial_id: str, rungs: Sequence[dict[str, Any]]) -> None:
        """Write a member's checkpoint."""
        self._members[trial_id].save(rungs)

    async def restore(self, trial_id: str) -> list[dict[str, Any]]:
        """Let a member continue from its checkpoint; return the rungs in it."""
        return self._members[trial_id].restore()

    async def leave(self, trial_id: str) -> None:
        """Let a trial go, wherever it stands; nothing happens where it is no member."""
        if member := self._members.pop(trial_id, None):
            member.close()

    async def _train(self) -> None:
        while True:
            await self._asked.wait()
            await self._others()
            started = time.perf_counter()
            self._round(self._asking())
            self._last_s = time.perf_counter() - started
            await asyncio.sleep(BREATH_S)
            if not self._asking():
                self._asked.clear()

    def _asking(self) -> list[Member]:
        return [member for member in self._members.values() if member.left]

    async def _others(self) -> None:
        """Wait for members who are away, a little: apart they are trained less efficiently."""
        until = time.perf_counter() + PATIENCE * self._last_s
        while len(self._asking()) < len(self._members) and time.perf_counter() < until:
            await asyncio.sleep(BREATH_S)

    def _round(self, members: Sequence[Member]) -> None:
        """Train up to the nearest rung, or so far that others need not wait for too long."""
        if not members:
            return
        steps, started = min(MOST_STEPS, *(member.left for member in members)), time.perf_counter()
        runs, rows = zip(*((each.run.pretraining, each.run.rows) for each in members), strict=True)
        try:
            losses = train_pack(runs, self._worker.store.gather, rows, steps)
        except Exception as error:  # noqa: BLE001 - of whatever kind, a trial is told of it
            leave_a_lost_gpu(error)
            failure = error
        else:
            share_s = (time.perf_counter() - started) / len(members)
            for member, loss in zip(members, losses, strict=True):
                member.advance(steps, loss, share_s)
            return
        # They hold what the round did on the GPU, where the halves need the room.
        traceback.clear_frames(failure.__traceback__)
        self._apart(members, failure)

    def _apart(self, members: Sequence[Member], error: Exception) -> None:
        """Find whose error it was that ended a round, and tell that one.

        By halves, each from its members' last checkpoints: nothing of a broken round is kept. Of a
        GPU without memory everybody is told, as fewer trials will have to share it.
        """
        if len(members) == 1 or is_gpu_full(f"{type(error).__name__}: {error}"):
            for member in members:
                member.fail(error)
            return
        half = len(members) // 2
        for some in (members[:half], members[half:]):
            self._round([member for member in some if member.begin_again()])
