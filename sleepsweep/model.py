"""A trained network as a file: what it needs to be used on other recordings, and its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import torch
from pydantic import Field
from torch import nn

from sleepsweep.data.recording import Normalize
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.learn.classifiers import LinearClassifier, build_classifier
from sleepsweep.learn.classifiers.linear import SCALE
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.encoderspec import is_path
from sleepsweep.learn.probe import FittedProbe
from sleepsweep.learn.staging import Staging
from sleepsweep.learn.weights import load_weights, save_weights
from sleepsweep.part import PartSpec

FORMAT = "sleepsweep model 2"
SUFFIX = ".safetensors"

# What is raised where the parts of a file are not those of a model, by pydantic and by torch.
MISFITS = (AttributeError, KeyError, RuntimeError, TypeError, UserError, ValueError)

Names = Annotated[tuple[str, ...], Field(strict=False)]


class About(PartSpec):
    """What a model is: its parts, the epochs that it takes, and whom it was trained on.

    `classifier` names the classifier on the encoder, None where there is none. `data_hash` is the
    store's that it was trained on, whose subjects `test` it has not seen, and `seen` it has. `unit`
    is what its epochs were in before they were normalised, None in files that do not tell.
    """

    encoder: EncoderSpec
    classifier: str | None
    derivations: Names
    sfreq: Annotated[float, Field(gt=0, le=10_000)]
    epoch_s: Annotated[float, Field(gt=0, le=3600)]
    normalize: Normalize
    wake_crop_min: float | None = None
    unit: str | None = None
    data_hash: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    seen: Names
    test: Names

    @property
    def labels(self) -> tuple[str, ...]:
        """The derivations, one name each: one that recordings spell in several ways has several."""
        return tuple(name.split("|")[0] for name in self.derivations)

    def check_number(self, derivations: Sequence[str], where: str) -> None:
        """Raise `UserError` unless there are as many derivations as the network takes."""
        if len(derivations) != len(self.derivations):
            raise UserError(
                f"{where}: has {_several(derivations)}, but the model takes "
                f"{_several(self.derivations)}. Name as many with --derivation."
            )

    def check_unit(self, unit: str, where: str) -> None:
        """Raise `UserError` where nothing is normalised and samples are in another `unit`."""
        told = self.unit is not None and self.normalize == "none"
        if told and unit not in str(self.unit).split("|"):
            raise UserError(
                f"{where}: its samples are in a unit that is {unit}, but the model takes them as "
                f"they are (normalize: none), in {self.unit}. Export the recording in {self.unit}, "
                "or train with normalize: robust."
            )


@dataclass(frozen=True)
class Model:
    """An encoder, or an encoder with a classifier (`Staging`), and what it is."""

    about: About
    network: nn.Module

    @property
    def encoder(self) -> nn.Module:
        """The encoder: epochs to embeddings."""
        return self.network.encoder if isinstance(self.network, Staging) else self.network

    def save(self, path: Path) -> None:
        """Write the model as one safetensors file, whole or not at all.

        The weights bear the names of the network's `state_dict`; the header has `about` as JSON,
        under the name of the format. Equal models make equal files.
        """
        save_weights(self.network.state_dict(), {FORMAT: self.about.model_dump_json()}, path)

    @classmethod
    def load(cls, path: Path, *, trust: bool = False) -> Self:
        """Read a model. Raises `UserError` for a file that is none; executes nothing in it.

        A file can name a class of the user's own as its encoder, which is imported with `trust`,
        and refused without.
        """
        weights, texts = load_weights(path)
        if FORMAT not in texts:
            raise UserError(
                f"{path}: is no model of this version of sleepsweep, but other weights. "
                "Give the folder of an experiment, or a model file in it."
            )
        try:
            about = About.model_validate_json(texts[FORMAT])
        except MISFITS as error:
            raise _damaged(path, error) from error
        _check_trusted(about, path, trust=trust)
        try:
            network = _built(about)
            network.load_state_dict(weights)
        except MISFITS as error:
            raise _damaged(path, error) from error
        return cls(about, network.eval())

    def check_fits(self, store: Store) -> None:
        """Raise `UserError` where the epochs of `store` are not such as the network takes."""
        about, manifest = self.about, store.manifest
        about.check_number(store.channels, str(store.folder))
        about.check_unit(manifest.unit, str(store.folder))
        samples = manifest.sfreq * manifest.epoch_s
        if (manifest.sfreq, samples) != (about.sfreq, about.sfreq * about.epoch_s):
            raise UserError(
                f"{store.folder}: epochs of {manifest.epoch_s:g} s at {manifest.sfreq:g} Hz, but "
                f"the model takes {about.epoch_s:g} s at {about.sfreq:g} Hz. Import the recordings "
                "so, or give their own folder."
            )


def _damaged(path: Path, error: Exception) -> UserError:
    first = str(error).splitlines()[0]
    return UserError(f"{path}: is a damaged model, or one of another version ({first}).")


def _check_trusted(about: About, path: Path, *, trust: bool) -> None:
    if is_path(about.encoder.name) and not trust:
        raise UserError(
            f"{path}: its encoder is {about.encoder.name}, a class outside sleepsweep, and "
            "importing it runs its code. If you know where the file comes from, give --trust."
        )


def probe_classifier(probe: FittedProbe) -> LinearClassifier | None:
    """Return a linear probe as a classifier; None for one that is not linear."""
    found = probe.coefficients()
    if found is None:
        return None
    weights, biases = (torch.from_numpy(part) for part in found)
    classifier = LinearClassifier(weights.shape[1], dropout=0.0)
    classifier.linear.load_state_dict({"weight": weights / SCALE, "bias": biases})
    return classifier


def _built(about: About) -> nn.Module:
    samples = round(about.sfreq * about.epoch_s)
    encoder = about.encoder.build(len(about.derivations), weights_seed=0, samples=samples)
    if about.classifier is None:
        return encoder
    classifier = build_classifier(about.classifier, about.encoder.latent_dim, 0.0, weights_seed=0)
    return Staging(encoder, classifier)


def _several(derivations: Sequence[str]) -> str:
    many = "s" * (len(derivations) != 1)
    return f"{len(derivations)} derivation{many} ({', '.join(derivations)})"
