"""One trial: pretraining on two views, probed at each rung. Plain Python; runs in a notebook."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from sleepsweep.augment import Policy, Signal, batch_partners
from sleepsweep.baselines import BASELINES, Epochs, Rows, encoder_of
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.learn.pretrain import (
    Axes,
    Pretraining,
    Streams,
    Views,
    load_checkpoint,
    save_checkpoint,
)
from sleepsweep.learn.probe import Stages, embed
from sleepsweep.metrics import STAGES, Confusion, confusion, summary
from sleepsweep.trial import TrialSpec

# Embeddings have length 1. Where all epochs lie closer together than this, in root mean square
# distance from their mean, there is nothing left for a probe to read.
COLLAPSED_SPREAD = 1e-3


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


Trainable = Callable[[TrialSpec, Store, Path | None, Store | None], Iterator[Metrics]]
"""What a worker runs: `run_trial`, or something cheaper where only the engine is looked at."""


def run_trial(
    trial: TrialSpec, store: Store, checkpoint: Path | None = None, exam: Store | None = None
) -> Iterator[Metrics]:
    """Pretrain and probe; yield the metrics of each rung, in order.

    With a `checkpoint` path the state is saved at every rung before its metrics are yielded, and a
    run that finds one yields the rungs it holds again and continues behind them, bit for bit on
    CPU. A collapsed or diverged trial yields one last rung, scored at chance. A baseline yields
    one rung and keeps no state. Raises `ValueError` when `store` does not hold the data that the
    trial was made for.

    `exam` is the store of the test subjects, for a confirmation, which is scored on them, and for
    no other trial. Raises `LeakError` where it is missing or too much, or where `store` would hand
    these subjects out as well.
    """
    if store.data_hash != trial.data_hash:
        raise ValueError(f"trial {trial.id} was made for other data than {store}")
    _check_exam(trial, store, exam)
    if trial.baseline is not None:
        yield _run_baseline(trial, trial.baseline, store)
        return
    run = _Run(trial, store, exam)
    done = run.restore(checkpoint) if checkpoint and checkpoint.exists() else []
    yield from done
    while len(done) < len(trial.rungs) and not (done and done[-1].collapsed):
        done.append(run.next_rung(done))
        if checkpoint:
            rungs = [metrics.plain for metrics in done]
            save_checkpoint({"pretraining": run.pretraining.state(), "rungs": rungs}, checkpoint)
        yield done[-1]


def _check_exam(trial: TrialSpec, store: Store, exam: Store | None) -> None:
    if bool(trial.test) != (exam is not None):
        what = "needs" if trial.test else "must not have"
        raise LeakError(f"trial {trial.id} {what} the store of the test subjects")
    if exam is not None and (shared := set(exam.subjects) & set(store.subjects)):
        raise LeakError(f"subjects to test on could be trained on: {', '.join(sorted(shared))}")
    if exam is not None and exam.data_hash != trial.data_hash:
        raise ValueError(f"trial {trial.id} was made for other data than {exam}")


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of n validation epochs: (n, latent_dim), stages 0–4 (n,), subjects (n,)."""

    features: NDArray[np.float32]
    stages: NDArray[np.int8]
    subjects: NDArray[np.str_]


def embeddings_of(trial: TrialSpec, store: Store, checkpoint: Path, epochs: int) -> Embeddings:
    """Embed up to so many validation epochs, evenly spread, with the encoder of a checkpoint.

    Raises `UserError` where there is no checkpoint or `store` holds other data.
    """
    if not checkpoint.exists():
        raise UserError(f"{checkpoint}: no such file.")
    if store.data_hash != trial.data_hash:
        raise UserError(f"{store.folder} holds other data by now than the trial was made for.")
    run = _Run(trial, store)
    run.restore(checkpoint)
    parts = {subject: _probed(trial, store, [subject]) for subject in trial.validation}
    rows = np.concatenate(list(parts.values()))
    subjects = np.repeat(list(parts), [len(part) for part in parts.values()])
    keep = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), epochs)).round().astype(np.int64))
    rows = rows[keep]
    features = embed(run.pretraining.encoder, store.gather(rows))
    return Embeddings(features, store.stages(rows), subjects[keep])


def measure(trial: TrialSpec, store: Store, steps: int) -> tuple[float, float]:
    """Return the seconds that one of a trial's steps takes, on average over `steps`, and a probe.

    The first step, which sets everything up, is left out.
    """
    run = _Run(trial, store)
    run.pretraining.run(store.gather, run.train, 1)
    started = time.perf_counter()
    run.pretraining.run(store.gather, run.train, 1 + steps)
    trained = time.perf_counter()
    run.probe()
    return (trained - started) / steps, time.perf_counter() - trained


class _Run:
    def __init__(self, trial: TrialSpec, store: Store, exam: Store | None = None) -> None:
        block: Axes = {"split": trial.split, "seed": trial.seed}
        policy = trial.build_policy().in_signal(signal_of(store, trial.train))
        self.trial, self.store = trial, store
        self.scored = exam or store
        self.train = store.rows(trial.train)
        self.pretraining = Pretraining(
            encoder_of(trial, store),
            trial.pretrain,
            views_of(policy, trial.mix_partner, store, self.train),
            Streams(block, {**block, "policy": trial.policy_text}),
        )

    def restore(self, checkpoint: Path) -> list[Metrics]:
        state = load_checkpoint(checkpoint)
        self.pretraining.restore(state["pretraining"])
        return [Metrics.of(rung) for rung in state["rungs"]]

    def next_rung(self, done: list[Metrics]) -> Metrics:
        started = time.perf_counter()
        rung = len(done)
        loss = self.pretraining.run(self.store.gather, self.train, self.trial.rungs[rung])
        confusions, spread = self.probe()
        collapsed = not (np.isfinite(loss) and spread > COLLAPSED_SPREAD)
        return Metrics(
            rung=rung,
            step=self.pretraining.step,
            loss=loss,
            collapsed=collapsed,
            time_s=(done[-1].time_s if done else 0.0) + time.perf_counter() - started,
            confusions=_at_chance(confusions) if collapsed else confusions,
        )

    def probe(self) -> tuple[dict[str, list[list[int]]], float]:
        """Confusion matrices of the scored subjects, and how far the embeddings are spread."""
        trial, store, encoder = self.trial, self.store, self.pretraining.encoder
        fitted = _probed(trial, store, trial.labelled)
        features = np.nan_to_num(embed(encoder, store.gather(fitted)))

        def predict(epochs: Epochs) -> Stages:
            others = np.nan_to_num(embed(encoder, epochs))
            return trial.probe.predict(features, store.stages(fitted), others)

        spread = float(np.sqrt(features.var(axis=0).sum()))
        return _confusions(trial, self.scored, predict), spread


def _run_baseline(trial: TrialSpec, name: str, store: Store) -> Metrics:
    started = time.perf_counter()
    fitted = _probed(trial, store, trial.labelled)
    confusions = _confusions(trial, store, partial(BASELINES[name], trial, store, fitted))
    return Metrics(
        rung=0,
        step=trial.rungs[-1],
        loss=float("nan"),
        collapsed=False,
        time_s=time.perf_counter() - started,
        confusions=confusions,
    )


def _probed(trial: TrialSpec, store: Store, subjects: Collection[str]) -> Rows:
    """Rows of the epochs of these subjects that probes read, a subject after the other."""
    return np.concatenate([trial.probe.choose(store.rows([subject])) for subject in subjects])


def _confusions(
    trial: TrialSpec, store: Store, predict: Callable[[Epochs], Stages]
) -> dict[str, list[list[int]]]:
    """Stage the epochs of every subject that the trial is scored on; a matrix a subject."""
    rows = [_probed(trial, store, [subject]) for subject in trial.scored]
    held_out = np.concatenate(rows)
    ends = np.cumsum([len(part) for part in rows])[:-1]
    truth = np.split(store.stages(held_out), ends)
    guess = np.split(predict(store.gather(held_out)), ends)
    parts = zip(trial.scored, truth, guess, strict=True)
    return {subject: confusion(one, other).tolist() for subject, one, other in parts}


def signal_of(store: Store, subjects: Collection[str]) -> Signal:
    """Return what the epochs of a store hold, with the units of the recordings of `subjects`."""
    return Signal(store.sfreq, store.uv_per_unit(subjects), store.units_per_sd(subjects))


def views_of(policy: Policy, mix_partner: str, store: Store, rows: Rows) -> Views:
    """Return the function *(epochs, generator) → two views* that pretraining is handed.

    Partners for mixing come from all training epochs (``store``) or from the batch (``batch``),
    one for each epoch and the same for both views.
    """

    def views(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        if mix_partner == "batch":
            return policy.views(epochs, generator, batch_partners(epochs))

        def partners(count: int, generator: Generator) -> Tensor:
            picks = torch.randint(len(rows), (count,), generator=generator, device=epochs.device)
            return torch.from_numpy(store.gather(rows[picks.cpu().numpy()])).to(epochs.device)

        return policy.views(epochs, generator, partners)

    return views


def _at_chance(confusions: dict[str, list[list[int]]]) -> dict[str, list[list[int]]]:
    pooled = np.sum(list(confusions.values()), axis=0)
    majority = int(pooled.sum(axis=1).argmax())
    chance = {}
    for subject, matrix in confusions.items():
        guessed = np.zeros((len(STAGES), len(STAGES)), dtype=np.int64)
        guessed[:, majority] = np.sum(matrix, axis=1)
        chance[subject] = guessed.tolist()
    return chance
