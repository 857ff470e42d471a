"""The sections of a published config, as they are written; the values not given are the code's.

Two dialects have the same sections: the README's sample gives fewer keys than the code's configs.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from sleepsweep.part import PartSpec


@dataclass(frozen=True)
class Otherwise:
    """Marks a key that has no effect here, or another one; `what` says what is done."""

    what: str


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be a text that can be printed, and not be blank")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Least = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
AT_MOST = "is of the validation epochs, and 3,000 of them are taken at most"
OWN_FOLDER = "has no effect: {} in the experiment's own folder"
PASSES = Otherwise(
    "counts passes over the training epochs; here it is turned into as many optimiser steps"
)
MODEL = Otherwise(OWN_FOLDER.format("the models are"))


class DatasetSection(PartSpec):
    """The config's ``dataset``: a folder of npz files, how many of them, and their derivation."""

    dset_path: Text | None = None
    max_files: Count | None = None
    montage: Text | None = None


class PretrainingSection(PartSpec):
    """The config's ``pretraining_params``: contrastive pretraining, counted in passes."""

    batch_size: Annotated[int, Field(ge=2)] = 1024
    temperature: Positive = 0.1
    latent_dim: Annotated[int, Field(ge=2, le=4096)] = 128
    learning_rate: Positive = 1e-3
    max_epochs: Annotated[Count, PASSES] = 1500
    check_interval: Annotated[Count, PASSES] = 50
    min_improvement: Least = 0.005
    dropout_rate: Share = 0.2
    best_model_pth: Annotated[str | None, MODEL] = None


class LatentSection(PartSpec):
    """The config's ``latent_space_params``: pictures and measures of the latent space."""

    umap_enabled: bool = True
    pca_enabled: bool = True
    tsne_enabled: bool = True
    visualize: bool = True
    compute_metrics: bool = True
    n_clusters: Annotated[int, Field(ge=2)] = 5
    visualization_fraction: Annotated[
        float,
        Field(gt=0, le=1),
        Otherwise(AT_MOST),
    ] = 0.5
    output_image_dir: Annotated[
        str | None, Otherwise(OWN_FOLDER.format("the pictures are"))
    ] = None  # fmt: skip
    output_metrics_dir: Annotated[
        str | None, Otherwise(OWN_FOLDER.format("the measures are"))
    ] = None  # fmt: skip

    @property
    def pictures(self) -> list[str]:
        """The kinds of pictures that are drawn."""
        return [
            kind for kind in ("pca", "tsne", "umap")
            if self.visualize and getattr(self, f"{kind}_enabled")
        ]  # fmt: skip


class SupervisedSection(PartSpec):
    """The config's ``sup_training_params``: the classifier on the frozen encoder, in passes."""

    learning_rate: Positive = 1e-3
    max_epochs: Annotated[Count, PASSES] = 500
    dropout_rate: Share = 0.5
    check_interval: Annotated[Count, PASSES] = 25
    min_improvement: Least = 0.005
    best_model_pth: Annotated[str | None, MODEL] = None


class PublishedSpec(PartSpec):
    """A whole config; its augmentations are translated, and checked, elsewhere."""

    seed: Annotated[
        int, Field(ge=0), Otherwise("does not choose the test subjects, as it did in the study")
    ] = 42
    experiment_num: Annotated[int, Field(ge=0)] | None = None
    results_folder: Text | None = None
    num_workers: Annotated[
        int | None, Otherwise("has no effect: epochs are read from one mapped file, by no workers")
    ] = None
    dataset: DatasetSection
    pretraining_params: PretrainingSection
    latent_space_params: LatentSection = LatentSection()
    sup_training_params: SupervisedSection = SupervisedSection()
    augmentations: dict[str, Annotated[dict[str, Any], BeforeValidator(lambda keys: keys or {})]]
