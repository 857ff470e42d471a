"""Configs of the published study in its two dialects, small, and recordings for them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tree = dict[str, Any]

README: Tree = {
    "seed": 42,
    "experiment_num": 90,
    "dataset": {"max_files": 5, "montage": "Fpz-Cz"},
    "pretraining_params": {
        "batch_size": 40, "temperature": 0.07, "latent_dim": 8, "learning_rate": 1e-3,
        "max_epochs": 1, "check_interval": 20, "min_improvement": 0.01,
    },
    "latent_space_params": {
        "tsne_enabled": False, "umap_enabled": False, "n_clusters": 5,
        "visualization_fraction": 1.0,
    },
    "sup_training_params": {"learning_rate": 1e-3, "max_epochs": 1, "dropout_rate": 0.4},
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
    "dataset": {"max_files": 150},
    "pretraining_params": {
        "batch_size": 40, "temperature": 0.2, "latent_dim": 8, "learning_rate": 2e-3,
        "max_epochs": 1, "check_interval": 40, "min_improvement": 0.004, "dropout_rate": 0.3,
        "best_model_pth": "models/encoder_",
    },
    "latent_space_params": {
        "umap_enabled": False, "pca_enabled": True, "tsne_enabled": False, "visualize": True,
        "compute_metrics": True, "n_clusters": 5, "visualization_fraction": 1.0,
        "output_image_dir": "images", "output_metrics_dir": "metrics",
    },
    "sup_training_params": {
        "learning_rate": 3e-3, "max_epochs": 1, "dropout_rate": 0.6, "check_interval": 30,
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

DIALECTS = {"readme": README, "code": CODE}


@pytest.fixture(scope="session")
def nights(write_nights: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An npz folder of five subjects with 40 epochs each."""
    names = [f"SC4{who:02d}1E0" for who in range(5)]
    return write_nights(tmp_path_factory.mktemp("published") / "Fpz-Cz", names)


@pytest.fixture
def published(nights: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write a config of a dialect on the small nights, with keys of some sections changed."""

    def write(dialect: str, name: str = "config.json", **changes: Any) -> Path:
        tree = {**DIALECTS[dialect]}
        tree["dataset"] = {**tree["dataset"], "dset_path": str(nights)}
        for key, value in changes.items():
            tree[key] = {**tree[key], **value} if isinstance(value, dict) else value
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(tree))
        return path

    return write
