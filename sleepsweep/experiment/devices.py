"""Pretraining on several devices of this machine: a process for each, and one that watches them.

The processes bring the state of pretraining to its end, as one process would; whoever asked for it
then reads that state. One that dies ends them all.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.experiment.setting import Setting
from sleepsweep.learn.processes import Group, joined
from sleepsweep.learn.stopping import Check, run_course
from sleepsweep.learn.together import PretrainingTogether
from sleepsweep.probedrun import pretraining_of
from sleepsweep.trial import TrialSpec

LAST_WORDS_S = 2.0
"""How long the others are heard after the first has failed: it may not be the one to blame."""


class DeviceLostError(Exception):
    """A process of a pretraining on several devices has ended before its time."""


@dataclass(frozen=True)
class Task:
    """What every process is told: the pretraining, on which devices, and where its state is."""

    trial: TrialSpec
    store: Store
    validation: Any
    devices: tuple[str, ...]
    meeting: Path
    checkpoint: Path


@dataclass(frozen=True)
class Worker:
    """A process, its device, and the end of the pipe on which it is heard."""

    process: SpawnProcess
    device: str
    heard: Connection


def pretrain_on_devices(
    setting: Setting, checkpoint: Path, on_check: Callable[[Check], None]
) -> None:
    """Bring the state of pretraining in `checkpoint` to its end, on the setting's devices.

    `on_check` hears of each new check. Raises `DeviceLostError` where a process dies; what was
    done at the last check is then in `checkpoint`.
    """
    devices = tuple(str(device) for device in setting.devices)
    with tempfile.TemporaryDirectory() as place:
        task = Task(
            setting.trial, setting.store, setting.validation, devices, Path(place) / "meeting",
            checkpoint,
        )  # fmt: skip
        with _workers(task) as workers:
            _listen(workers, on_check)


@contextmanager
def _workers(task: Task) -> Iterator[list[Worker]]:
    """Start a process for each device; after the block none is left, however it ends."""
    context, workers = multiprocessing.get_context("spawn"), list[Worker]()
    try:
        for rank, device in enumerate(task.devices):
            heard, tells = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(rank, task, tells), daemon=True)
            process.start()
            # Of what this process would hold open, it could not hear the end.
            tells.close()
            workers.append(Worker(process, device, heard))
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.join()


def _listen(workers: list[Worker], on_check: Callable[[Check], None]) -> None:
    """Pass on checks until all processes have ended well."""
    silent: set[Connection] = set()
    while len(silent) < len(workers):
        for ready in wait([worker.heard for worker in workers if worker.heard not in silent]):
            assert isinstance(ready, Connection)
            told = _told(ready)
            if "check" in told:
                on_check(Check(**told["check"]))
            elif "mistake" in told:
                raise UserError(told["mistake"])
            elif "done" in told:
                silent.add(ready)
            else:
                raise DeviceLostError(_blame(workers, ready, told.get("failed")))


def _told(heard: Connection) -> dict[str, Any]:
    """What a process says next; nothing where it has died."""
    try:
        told: dict[str, Any] = heard.recv()
    except EOFError:
        return {}
    return told


def _blame(workers: list[Worker], first: Connection, trace: str | None) -> str:
    """Which process failed, and how: one that was killed before those that then missed it."""
    until = time.monotonic() + LAST_WORDS_S
    while time.monotonic() < until and not any(map(_killed, workers)):
        time.sleep(0.05)
    killed = [place for place, worker in enumerate(workers) if _killed(worker)]
    place = killed[0] if killed else [worker.heard for worker in workers].index(first)
    worker = workers[place]
    how = f"was killed (signal {-(worker.process.exitcode or 0)})" if killed else "failed"
    detail = f":\n{trace}" if trace and not killed else ""
    return f"process {place + 1} of {len(workers)}, on {worker.device}, {how}{detail}"


def _killed(worker: Worker) -> bool:
    return (worker.process.exitcode or 0) < 0


def _work(rank: int, task: Task, tells: Connection) -> None:
    """Train as one of the processes; the first also checks, saves and tells."""
    # The one that watches is told of Ctrl-C as well, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    try:
        _train(rank, task, tells)
    except UserError as error:
        tells.send({"mistake": str(error)})
    except Exception:  # noqa: BLE001 - of any kind, and told in full by the one that watches
        tells.send({"failed": traceback.format_exc()})
        sys.exit(1)
    else:
        tells.send({"done": True})


def _train(rank: int, task: Task, tells: Connection) -> None:
    device, size = torch.device(task.devices[rank]), len(task.devices)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    else:
        torch.set_num_threads(max(1, torch.get_num_threads() // size))

    def on_check(check: Check) -> None:
        tells.send({"check": asdict(check)})

    rows = task.store.rows(task.trial.train)
    with joined(rank, size, task.meeting, device) as group:
        run = _pretraining(task, device, group)
        if not group.leads:
            run.follow(task.store.gather, rows)
            return
        gather, validation = task.store.gather, np.asarray(task.validation)
        run_course(run, gather, rows, validation, task.checkpoint, on_check)
        run.dismiss()


def _pretraining(task: Task, device: torch.device, group: Group) -> PretrainingTogether:
    run = pretraining_of(task.trial, task.store, device, group)
    assert isinstance(run, PretrainingTogether)
    return run


def _end_with_parent() -> None:
    """End this process when the one that watches it has died, whatever it waits for."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
