"""One trial: pretraining on two views, probed at each rung. Plain Python; runs in a notebook.

What trains is imported when a trial begins: a launch hands its trials to workers and needs no
torch, which takes a second to import, before the first of them can.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from sleepsweep.baselines import BASELINES
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.learn.collapse import COLLAPSED_SPREAD
from sleepsweep.metrics import STAGES, Confusion, summary
from sleepsweep.trial import TrialSpec

if TYPE_CHECKING:
    from sleepsweep.probing import Probed


@dataclass(frozen=True)
class Metrics:
    """What a trial reports at a rung.

    `confusions` holds a 5 × 5 matrix (reference in rows) for each scored subject; `loss` is
    the mean pretraining loss since the rung before; `time_s` is the trial's running time so far,
    in seconds of training and probing.
    """

    rung: int
    step: int
    loss: float
    collapsed: bool
    time_s: float
    confusions: dict[str, list[list[int]]]

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Rebuild metrics from `plain`."""
        return cls(**plain)

    @property
    def plain(self) -> dict[str, Any]:
        """The metrics as plain values, for JSON and checkpoints."""
        return asdict(self)

    @property
    def scores(self) -> dict[str, float]:
        """Accuracy, macro-F1, κ and F1 by stage, of all scored subjects pooled, in 0–1."""
        return summary(self.pooled)

    @property
    def pooled(self) -> Confusion:
        """The sum of the subjects' confusion matrices, shape (5, 5)."""
        matrices = np.asarray(list(self.confusions.values()), dtype=np.int64)
        return np.asarray(matrices.sum(axis=0))


class Run(Protocol):
    """A trial that is trained and probed, in this process (`ProbedRun`) or in another one."""

    trial: TrialSpec
    spent_s: float

    def train(self, step: int) -> float:
        """Train up to a step; return the mean loss on the way."""

    def probe(self) -> Probed:
        """Confusion matrices of the scored subjects, and how far the embeddings are spread."""

    def save(self, checkpoint: Path, rungs: Sequence[dict[str, Any]]) -> None:
        """Write the state, and what was reported so far."""

    def restore(self, checkpoint: Path) -> list[dict[str, Any]]:
        """Continue from what `save` wrote; return what had been reported."""


Trainable = Callable[[TrialSpec, Store, Path | None, Store | None, str], Iterator[Metrics]]
"""What a worker runs: `run_trial`, or something cheaper where only the engine is looked at."""


def run_trial(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None,
    device: str = "cpu",
) -> Iterator[Metrics]:  # fmt: skip
    """Pretrain on a `device` of torch's, and probe; yield the metrics of each rung, in order.

    With a `checkpoint` path the state is saved at every rung before its metrics are yielded, and a
    run that finds one yields the rungs it holds again and continues behind them, bit for bit on
    CPU. A collapsed or diverged trial yields one last rung, scored at chance. A baseline yields
    one rung and keeps no state. Raises `ValueError` when `store` does not hold the data that the
    trial was made for.

    `exam` is the store of the test subjects, for a confirmation, which is scored on them, and for
    no other trial. Raises `LeakError` where it is missing or too much, or where `store` would hand
    these subjects out as well.
    """
    from sleepsweep.probedrun import ProbedRun

    check_stores(trial, store, exam)
    if trial.baseline is not None:
        yield _run_baseline(trial, trial.baseline, store, device)
        return
    yield from rungs_of(ProbedRun(trial, store, exam, device), checkpoint)


def rungs_of(run: Run, checkpoint: Path | None) -> Iterator[Metrics]:
    """Train and probe a run, or continue it from its checkpoint, as `run_trial` says."""
    saved = run.restore(checkpoint) if checkpoint and checkpoint.exists() else []
    done = [Metrics.of(rung) for rung in saved]
    yield from done
    while len(done) < len(run.trial.rungs) and not (done and done[-1].collapsed):
        done.append(_next_rung(run, done))
        if checkpoint:
            run.save(checkpoint, [metrics.plain for metrics in done])
        yield done[-1]


def check_stores(trial: TrialSpec, store: Store, exam: Store | None) -> None:
    """Raise what `run_trial` does for stores that a trial was not made for, or must not have."""
    if store.data_hash != trial.data_hash:
        raise ValueError(f"trial {trial.id} was made for other data than {store}")
    if bool(trial.test) != (exam is not None):
        what = "needs" if trial.test else "must not have"
        raise LeakError(f"trial {trial.id} {what} the store of the test subjects")
    if exam is not None and (shared := set(exam.subjects) & set(store.subjects)):
        raise LeakError(f"subjects to test on could be trained on: {', '.join(sorted(shared))}")
    if exam is not None and exam.data_hash != trial.data_hash:
        raise ValueError(f"trial {trial.id} was made for other data than {exam}")


def _next_rung(run: Run, done: Sequence[Metrics]) -> Metrics:
    rung, before = len(done), run.spent_s
    loss = run.train(run.trial.rungs[rung])
    confusions, spread = run.probe()
    collapsed = not (np.isfinite(loss) and spread > COLLAPSED_SPREAD)
    return Metrics(
        rung=rung,
        step=run.trial.rungs[rung],
        loss=loss,
        collapsed=collapsed,
        time_s=(done[-1].time_s if done else 0.0) + run.spent_s - before,
        confusions=_at_chance(confusions) if collapsed else confusions,
    )


def _run_baseline(trial: TrialSpec, name: str, store: Store, device: str) -> Metrics:
    from sleepsweep.probing import confusions_of, probed

    started = time.perf_counter()
    fitted = probed(trial, store, trial.labelled)
    predict = partial(BASELINES[name], trial, store, device, fitted)
    confusions = confusions_of(trial, store, predict)
    return Metrics(
        rung=0,
        step=trial.rungs[-1],
        loss=float("nan"),
        collapsed=False,
        time_s=time.perf_counter() - started,
        confusions=confusions,
    )


def _at_chance(confusions: dict[str, list[list[int]]]) -> dict[str, list[list[int]]]:
    pooled = np.sum(list(confusions.values()), axis=0)
    majority = int(pooled.sum(axis=1).argmax())
    chance = {}
    for subject, matrix in confusions.items():
        guessed = np.zeros((len(STAGES), len(STAGES)), dtype=np.int64)
        guessed[:, majority] = np.sum(matrix, axis=1)
        chance[subject] = guessed.tolist()
    return chance
