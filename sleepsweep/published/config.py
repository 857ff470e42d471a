"""A published config as an experiment of our grammar."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sleepsweep.part import PartSpec
from sleepsweep.published.augmentations import Translated
from sleepsweep.published.sections import Otherwise, PublishedSpec

Batches = Callable[[int], int]
SPLIT = {"test": 0.15, "validation": 0.2}
TESTED = (
    "The test subjects are set aside and never stop a training, as they did in the study: its "
    "scores were chosen on them."
)


@dataclass(frozen=True)
class PublishedConfig:
    """A config that was read: what is needed before the data are known, and then its `tree`.

    `stem` names the experiment where the config has no number.
    """

    spec: PublishedSpec
    augmentations: tuple[Translated, ...]
    stem: str

    @property
    def name(self) -> str:
        """The experiment's name: ``experiment_90`` for number 90."""
        number = self.spec.experiment_num
        return self.stem if number is None else f"experiment_{number}"

    @property
    def data(self) -> dict[str, Any]:
        """The section ``data``: npz files of one derivation, the first `max_files` by name."""
        given = self.spec.dataset
        section: dict[str, Any] = {"source": "npz", "root": given.dset_path}
        if given.montage is not None:
            section["derivations"] = [given.montage]
        if given.max_files is not None:
            section["max_recordings"] = given.max_files
        return section

    @property
    def split(self) -> dict[str, Any]:
        """The section ``split``: test subjects are set aside, and validation subjects judge."""
        return dict(SPLIT)

    @property
    def results_folder(self) -> str | None:
        """The folder for results that the config names."""
        return self.spec.results_folder

    @property
    def notes(self) -> list[str]:
        """A sentence on every key that has no effect here, or is done otherwise."""
        said = [f"{key} {what}." for key, what in _otherwise(self.spec)]
        said += [f"{note}." for each in self.augmentations for note in each.notes]
        defaults = ", ".join(f"{key} {json.dumps(value)}" for key, value in _not_given(self.spec))
        return [TESTED, *said, *[f"Not given, and taken as: {defaults}."] * bool(defaults)]

    def tree(self, batches: Batches) -> dict[str, Any]:
        """Return the whole experiment, as its YAML would be read.

        ``batches(batch_size)`` is how many optimiser steps one pass over the training epochs
        takes; passes become steps, at least one.
        """
        steps_a_pass = max(1, batches(self.spec.pretraining_params.batch_size))
        return {
            "name": self.name,
            "seed": self.spec.seed,
            "data": self.data,
            "split": self.split,
            "encoder": self._encoder(),
            "pretrain": self._pretrain(steps_a_pass),
            "policy": self._policy(),
            "finetune": self._finetune(steps_a_pass),
            "latent": self._latent(),
        }

    def _encoder(self) -> dict[str, Any]:
        given = self.spec.pretraining_params
        latent_dim, dropout = given.latent_dim, given.dropout_rate
        return {"name": "SimpleSleepNet", "latent_dim": latent_dim, "dropout": dropout}

    def _pretrain(self, steps_a_pass: int) -> dict[str, Any]:
        given = self.spec.pretraining_params
        return {
            "loss": "nt_xent",
            "temperature": given.temperature,
            "batch_size": given.batch_size,
            "learning_rate": given.learning_rate,
            **_steps(given.max_epochs, given.check_interval, steps_a_pass),
            "min_improvement": given.min_improvement,
        }

    def _policy(self) -> list[dict[str, Any]]:
        members = [each.member for each in self.augmentations]
        return [{member.name: {**member.parameters, "p": member.p}} for member in members]

    def _finetune(self, steps_a_pass: int) -> dict[str, Any]:
        given = self.spec.sup_training_params
        return {
            "layers": "none",
            "classifier": "mlp",
            "dropout": given.dropout_rate,
            "learning_rate": given.learning_rate,
            "batch_size": self.spec.pretraining_params.batch_size,
            **_steps(given.max_epochs, given.check_interval, steps_a_pass),
            "min_improvement": given.min_improvement,
        }

    def _latent(self) -> dict[str, Any]:
        given = self.spec.latent_space_params
        return {
            "fraction": given.visualization_fraction,
            "clusters": given.n_clusters,
            "pictures": given.pictures,
            "measures": given.compute_metrics,
        }


def _steps(passes: int, check_interval: int, steps_a_pass: int) -> dict[str, int]:
    # A check that would come after the last pass is one at the end: nothing is stopped by either.
    checked = min(check_interval, passes)
    return {"steps": passes * steps_a_pass, "check_interval": checked * steps_a_pass}


def _sections(part: PartSpec, path: str = "") -> Iterator[tuple[str, PartSpec]]:
    yield path, part
    for key in type(part).model_fields:
        below = getattr(part, key)
        if isinstance(below, PartSpec):
            yield from _sections(below, f"{path}{key}.")


def _otherwise(spec: PublishedSpec) -> Iterator[tuple[str, str]]:
    for path, part in _sections(spec):
        for key, field in type(part).model_fields.items():
            if key in part.model_fields_set:
                marks = [mark for mark in field.metadata if isinstance(mark, Otherwise)]
                yield from ((f"{path}{key}", mark.what) for mark in marks)


def _not_given(spec: PublishedSpec) -> Iterator[tuple[str, Any]]:
    for path, part in _sections(spec):
        for key in type(part).model_fields:
            value = getattr(part, key)
            if key not in part.model_fields_set and not isinstance(value, PartSpec | None):
                yield f"{path}{key}", value
