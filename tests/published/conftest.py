"""Configs of our own in the two dialects, with every key that they have."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = dict[str, Any]

README: Tree = {
    "seed": 42,
    "experiment_num": 90,
    "dataset": {"dset_path": "data/processed/", "max_files": 100, "montage": "Fpz-Cz"},
    "pretraining_params": {
        "batch_size": 256, "temperature": 0.07, "latent_dim": 128, "learning_rate": 1e-4,
        "max_epochs": 200, "check_interval": 20, "min_improvement": 0.01,
    },
    "latent_space_params": {
        "tsne_enabled": True, "umap_enabled": True, "n_clusters": 5, "visualization_fraction": 0.5,
    },
    "sup_training_params": {"learning_rate": 1e-3, "max_epochs": 100, "dropout_rate": 0.4},
    "augmentations": {
        "RandomZeroMasking": {"masking_ratio": 0.1, "p": 0.8},
        "TimeWarping": {"sigma": 0.1, "knot_points": 5, "p": 0.7},
        "TailoredMixup": {"alpha": 0.2, "p": 0.5},
        "RandomAdditiveGaussianNoise": {"scale": 0.1, "p": 0.5},
    },
}  # fmt: skip

CODE: Tree = {
    "seed": 7,
    "experiment_num": 3,
    "results_folder": "results",
    "num_workers": 8,
    "dataset": {"dset_path": "/archive/npz/Fpz-Cz", "max_files": 150},
    "pretraining_params": {
        "batch_size": 512, "temperature": 0.2, "latent_dim": 64, "learning_rate": 2e-3,
        "max_epochs": 1000, "check_interval": 40, "min_improvement": 0.004, "dropout_rate": 0.3,
        "best_model_pth": "models/encoder_",
    },
    "latent_space_params": {
        "umap_enabled": False, "pca_enabled": True, "tsne_enabled": False, "visualize": True,
        "compute_metrics": False, "n_clusters": 6, "visualization_fraction": 0.25,
        "output_image_dir": "images", "output_metrics_dir": "metrics",
    },
    "sup_training_params": {
        "learning_rate": 3e-3, "max_epochs": 300, "dropout_rate": 0.6, "check_interval": 30,
        "min_improvement": 0.002, "best_model_pth": "models/classifier_",
    },
    "augmentations": {
        "RandomTimeShift": {"range": [-200, 200], "mode": "constant", "cval": 0.0, "p": 0.25},
        "RandomBandStopFilter": {
            "range": [1, 20.5], "band_width": 3, "sampling_rate": 100, "p": 0.5
        },
        "SignFlip": {"p": 0.5},
    },
}  # fmt: skip


def changed(tree: Tree, dotted: str, value: Any) -> Tree:
    """Return a copy of `tree` with another value at a dotted key."""
    result = copy.deepcopy(tree)
    *parents, last = dotted.split(".")
    place = result
    for parent in parents:
        place = place[parent]
    place[last] = value
    return result


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a config as JSON, or a text as it is."""

    def one(content: Any, name: str = "config.json") -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return one


@pytest.fixture
def readme() -> Tree:
    """A config as the README's sample."""
    return copy.deepcopy(README)


@pytest.fixture
def code() -> Tree:
    """A config with every key of the published code's."""
    return copy.deepcopy(CODE)


@pytest.fixture
def change() -> Callable[[Tree, str, Any], Tree]:
    """Change the value at a dotted key of a copy."""
    return changed
