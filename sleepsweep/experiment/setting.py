"""What an experiment works with: its recordings without the test subjects, and its trial."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sleepsweep.baselines import encoder_of
from sleepsweep.data.preparation import prepare
from sleepsweep.data.split import set_aside, test_hash
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.learn.finetune import Labelled
from sleepsweep.model import About
from sleepsweep.probing import probed
from sleepsweep.progress import Progress, silent
from sleepsweep.scores import Staged
from sleepsweep.space import Block, make_blocks
from sleepsweep.trial import TrialSpec

Predict = Callable[[Store, NDArray[np.int64]], NDArray[np.int8]]


@dataclass(frozen=True)
class Setting:
    """An experiment that is ready to run.

    `store` withholds the `test` subjects. `trial` is the trial of a sweep that has this policy in
    this block, so that both pretrain alike, bit for bit on a CPU.
    """

    spec: ExperimentSpec
    store: Store
    test: tuple[str, ...]
    trial: TrialSpec

    @property
    def device(self) -> torch.device:
        """Where networks are trained. Raises `UserError` for a GPU that is not there."""
        asked, there = self.spec.device, torch.cuda.is_available()
        if asked == "cuda" and not there:
            raise UserError("device is cuda, but torch finds no GPU; give cpu or auto.")
        return torch.device("cuda" if there and asked != "cpu" else "cpu")

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """Where pretraining is done: so many GPUs, or processes of the CPU as the spec asks for.

        Raises `UserError` where there are fewer GPUs.
        """
        asked, device = self.spec.devices, self.device
        if asked == 1 or device.type == "cpu":
            return (device,) * asked
        if asked > torch.cuda.device_count():
            raise UserError(
                f"devices is {asked}, but torch finds {torch.cuda.device_count()} GPUs; lower it."
            )
        return tuple(torch.device("cuda", place) for place in range(asked))

    def first_encoder(self) -> nn.Module:
        """The encoder with its first weights."""
        return encoder_of(self.trial, self.store).to(self.device)

    def facts(self) -> dict[str, Any]:
        """What ``experiment.json`` says of the data: who is in which part, and hashes."""
        trial = self.trial
        people = {"train": trial.train, "validation": trial.validation, "test": self.test}
        return {
            "store": str(self.store.folder),
            "data_hash": self.store.data_hash,
            "subjects": {part: list(names) for part, names in people.items()},
            "test_hash": test_hash(self.test),
        }

    def about(self, classifier: str | None) -> About:
        """Describe a model of this experiment with a classifier of that name."""
        manifest = self.store.manifest
        return About(
            encoder=self.spec.encoder,
            classifier=classifier,
            derivations=manifest.channels,
            sfreq=manifest.sfreq,
            epoch_s=manifest.epoch_s,
            normalize=self.spec.data.normalize,
            wake_crop_min=manifest.preprocessing["wake_crop_min"],
            unit=manifest.unit,
            data_hash=manifest.data_hash,
            seen=(*self.trial.train, *self.trial.validation),
            test=self.test,
        )

    @cached_property
    def probed(self) -> NDArray[np.int64]:
        """Rows of the labelled epochs that the probe is fitted on."""
        return probed(self.trial, self.store, self.trial.labelled)

    @property
    def validation(self) -> NDArray[np.int64]:
        """Rows of the validation subjects."""
        return self.store.rows(self.trial.validation)

    def labelled(self, fraction: float) -> Labelled:
        """All epochs, with their stages, of a fraction of the training subjects."""
        probe = self.spec.probe.model_copy(update={"label_fraction": fraction})
        people = probe.labelled(self.trial.train, split=self.trial.split, seed=self.spec.split.seed)
        return Labelled(self.store.gather, self.store.stages, self.store.rows(people))

    def exam(self) -> Store:
        """The store of the test subjects, which hands out nobody else: for the last stage only."""
        return Store.open(self.store.folder).only(self.test)


def staged(store: Store, rows: NDArray[np.int64], predict: Predict) -> Staged:
    """Predict the stages of `rows` of a store, and keep those that were scored beside them."""
    return Staged(store.labels(rows), predict(store, rows))


def make_setting(spec: ExperimentSpec, progress: Progress = silent) -> Setting:
    """Prepare the recordings of `spec`, telling the `progress`, and set the test subjects aside.

    Raises `UserError` for recordings that cannot be used, or are too few.
    """
    everyone = prepare(spec.data, progress=progress)
    test = set_aside(everyone.nights, spec.split)
    block = make_blocks(spec, everyone.nights, test)[spec.block]
    store = everyone.withholding(test)
    rows = len(store.rows(block.split.train))
    if spec.pretrain.batch_size > rows:
        raise UserError(
            f"pretrain.batch_size is {spec.pretrain.batch_size}, but there are {rows} epochs to "
            "train on; lower it, or add recordings."
        )
    return Setting(spec, store, test, _trial(spec, block, store.data_hash))


def _trial(spec: ExperimentSpec, block: Block, data_hash: str) -> TrialSpec:
    return TrialSpec(
        policy=spec.policy, mix_partner=spec.mix_partner, block=block.index,
        split=block.split_index, seed=block.seed, train=block.split.train,
        labelled=block.labelled, validation=block.split.validation, encoder=spec.encoder,
        pretrain=spec.pretrain, probe=spec.probe, rungs=(spec.pretrain.steps,),
        data_hash=data_hash,
    )  # fmt: skip
