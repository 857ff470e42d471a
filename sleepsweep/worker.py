"""What a worker does: one trial, rung by rung."""

import socket
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Self

import sleepsweep
from sleepsweep.data.store import Store
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.systemmetrics import sampled
from sleepsweep.torchlater import torch
from sleepsweep.trainable import Trainable, run_trial
from sleepsweep.trial import TrialSpec


@dataclass(frozen=True)
class Worker:
    """Runs single trials of a sweep; Ray carries it to its processes."""

    trainable: Trainable
    store: Store
    exam: Store | None
    folder: SweepFolder
    threads: int
    watched: bool
    device: str

    @classmethod
    def of(cls, plan: Plan, folder: SweepFolder, trainable: Trainable = run_trial) -> Self:
        """The worker for the trials of a plan; `Plan.exam` says whom it may be scored on."""
        return cls(
            trainable=trainable, store=plan.store, exam=plan.exam(folder), folder=folder,
            threads=plan.spec.resources.cpus_per_trial, watched=plan.spec.tracking.system_metrics,
            device=plan.spec.resources.device,
        )  # fmt: skip

    @property
    def where(self) -> dict[str, str]:
        """On which machine and device this process trains, and with which version."""
        return {
            "host": socket.gethostname(),
            "device": _called(self.device),
            "version": sleepsweep.__version__,
        }

    def run(self, trial: TrialSpec) -> Iterator[dict[str, Any]]:
        """Run one trial, or continue it from its checkpoint; yield the result of each rung."""
        torch.set_num_threads(self.threads)
        files = self.folder.trial(trial.id)
        where = self.where
        with sampled(files.samples, self.device) if self.watched else nullcontext():
            rungs = self.trainable(trial, self.store, files.checkpoint, self.exam, self.device)
            for metrics in rungs:
                yield {**metrics.plain, **metrics.scores, **where}


def _called(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" and _has_gpu() else device


def _has_gpu() -> bool:
    return torch.cuda.is_available()
