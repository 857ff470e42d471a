"""Both dialects, key by key: where each of them lands in our grammar."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.split import SplitSpec
from sleepsweep.published import read_published
from sleepsweep.published.config import Batches
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import MemberSpec

Tree = dict[str, Any]
Write = Callable[..., Path]
Change = Callable[[Tree, str, Any], Tree]


def ten(batch_size: int) -> int:
    return 10


def test_the_readme_s_dialect(readme: Tree, write: Write) -> None:
    assert read_published(write(readme)).tree(ten) == {
        "name": "experiment_90",
        "seed": 42,
        "data": {
            "source": "npz", "root": "data/processed/", "derivations": ["Fpz-Cz"],
            "max_recordings": 100,
        },
        "split": {"test": 0.15, "validation": 0.2},
        "encoder": {"name": "SimpleSleepNet", "latent_dim": 128, "dropout": 0.2},
        "pretrain": {
            "loss": "nt_xent", "temperature": 0.07, "batch_size": 256, "learning_rate": 1e-4,
            "steps": 2000, "check_interval": 200, "min_improvement": 0.01,
        },
        "policy": [
            {"RandomZeroMasking": {"masking_ratio": 0.1, "p": 0.8}},
            {"TimeWarping": {"sigma": 0.1, "knot_points": 5, "p": 0.7}},
            {"TailoredMixup": {"alpha": 0.2, "wrap_phase": False, "p": 0.5}},
            {"RandomAdditiveGaussianNoise": {"scale_uv": 0.1, "p": 0.5}},
        ],
        "finetune": {
            "layers": "none", "classifier": "mlp", "dropout": 0.4, "learning_rate": 1e-3,
            "batch_size": 256, "steps": 1000, "check_interval": 250, "min_improvement": 0.005,
        },
        "latent": {
            "fraction": 0.5, "clusters": 5, "pictures": ["pca", "tsne", "umap"], "measures": True,
        },
    }  # fmt: skip


def test_the_code_s_dialect(code: Tree, write: Write) -> None:
    config = read_published(write(code))
    assert config.results_folder == "results"
    assert config.tree(lambda batch_size: 102_400 // batch_size) == {
        "name": "experiment_3",
        "seed": 7,
        "data": {"source": "npz", "root": "/archive/npz/Fpz-Cz", "max_recordings": 150},
        "split": {"test": 0.15, "validation": 0.2},
        "encoder": {"name": "SimpleSleepNet", "latent_dim": 64, "dropout": 0.3},
        "pretrain": {
            "loss": "nt_xent", "temperature": 0.2, "batch_size": 512, "learning_rate": 2e-3,
            "steps": 200_000, "check_interval": 8000, "min_improvement": 0.004,
        },
        "policy": [
            {"RandomTimeShift": {"max_samples": 200, "p": 0.25}},
            {"RandomBandStopFilter": {"low_hz": 1, "high_hz": 20.5, "width_hz": 3, "p": 0.5}},
            {"SignFlip": {"p": 0.5}},
        ],
        "finetune": {
            "layers": "none", "classifier": "mlp", "dropout": 0.6, "learning_rate": 3e-3,
            "batch_size": 512, "steps": 60_000, "check_interval": 6000, "min_improvement": 0.002,
        },
        "latent": {"fraction": 0.25, "clusters": 6, "pictures": ["pca"], "measures": False},
    }  # fmt: skip


@pytest.mark.parametrize("dialect", ["readme", "code"])
def test_what_comes_out_is_legal_in_our_grammar(
    dialect: str, write: Write, request: pytest.FixtureRequest
) -> None:
    config = read_published(write(request.getfixturevalue(dialect)))
    tree = config.tree(ten)
    assert tree == yaml.safe_load(yaml.safe_dump(tree))
    assert DataSpec.model_validate(config.data).kind == "npz"
    assert SplitSpec.model_validate(config.split).protocol == "subject"
    pool = {name: keys for member in tree["policy"] for name, keys in member.items()}
    known = {"name", "seed", "data", "split", "encoder"}
    shared = {key: tree[key] for key in known} | {"augmentations": {"pool": pool, "size": [0, 3]}}
    assert SweepSpec.model_validate(shared).encoder.latent_dim == tree["encoder"]["latent_dim"]


def test_augmentations_keep_their_order(readme: Tree, write: Write) -> None:
    names = list(readme["augmentations"])
    readme["augmentations"] = {name: readme["augmentations"][name] for name in reversed(names)}
    policy = read_published(write(readme)).tree(ten)["policy"]
    assert [name for member in policy for name in member] == names[::-1]


@pytest.mark.parametrize(
    ("batches", "steps", "check_interval"), [(lambda size: 0, 200, 20), (lambda size: 7, 1400, 140)]
)
def test_a_pass_is_at_least_one_step(
    batches: Batches, steps: int, check_interval: int, readme: Tree, write: Write
) -> None:
    pretrain = read_published(write(readme)).tree(batches)["pretrain"]
    assert (pretrain["steps"], pretrain["check_interval"]) == (steps, check_interval)


def test_the_batch_size_of_pretraining_says_how_long_a_pass_is(code: Tree, write: Write) -> None:
    asked: list[int] = []

    def batches(batch_size: int) -> int:
        asked.append(batch_size)
        return 5

    read_published(write(code)).tree(batches)
    assert set(asked) == {512}


def test_a_check_after_the_last_pass_is_one_at_the_end(
    readme: Tree, write: Write, change: Change
) -> None:
    tree = change(readme, "pretraining_params.check_interval", 1000)
    pretrain = read_published(write(tree)).tree(ten)["pretrain"]
    assert pretrain["check_interval"] == pretrain["steps"] == 2000


def test_whole_numbers_stand_where_fractions_are_meant(
    readme: Tree, write: Write, change: Change
) -> None:
    for key, section, ours in [
        ("pretraining_params.temperature", "pretrain", "temperature"),
        ("pretraining_params.min_improvement", "pretrain", "min_improvement"),
        ("sup_training_params.learning_rate", "finetune", "learning_rate"),
        ("latent_space_params.visualization_fraction", "latent", "fraction"),
    ]:
        tree = read_published(write(change(readme, key, 1))).tree(ten)
        assert tree[section][ours] == 1


def test_no_pictures_where_nothing_is_visualised(
    readme: Tree, write: Write, change: Change
) -> None:
    tree = change(readme, "latent_space_params.visualize", False)
    assert read_published(write(tree)).tree(ten)["latent"]["pictures"] == []


def test_nothing_is_ignored_in_silence(code: Tree, write: Write) -> None:
    notes = read_published(write(code)).notes
    for start in [
        "The test subjects are set aside and never stop a training",
        "seed does not choose the test subjects",
        "num_workers has no effect",
        "pretraining_params.max_epochs counts passes",
        "pretraining_params.check_interval counts passes",
        "pretraining_params.best_model_pth has no effect",
        "latent_space_params.visualization_fraction is of the validation epochs, and 3,000",
        "latent_space_params.output_image_dir has no effect",
        "latent_space_params.output_metrics_dir has no effect",
        "sup_training_params.max_epochs counts passes",
        "sup_training_params.check_interval counts passes",
        "sup_training_params.best_model_pth has no effect",
        "augmentations.RandomTimeShift: mode 'constant' changes nothing",
        "augmentations.RandomTimeShift: cval 0.0 changes nothing",
        "augmentations.RandomBandStopFilter: sampling_rate 100 changes nothing",
    ]:
        assert [note for note in notes if note.startswith(start)], start
    assert len(notes) == 15
    assert all(note.endswith(".") for note in notes)


def test_what_is_not_given_is_said(readme: Tree, write: Write) -> None:
    readme["augmentations"]["SignFlip"] = {}
    readme["augmentations"]["TimeWarping"].pop("sigma")
    notes = read_published(write(readme)).notes
    assert "augmentations.SignFlip: p is not given: 1 is taken." in notes
    assert "augmentations.TimeWarping: sigma is not given: 0.1 is taken." in notes
    assert notes[-1] == (
        "Not given, and taken as: pretraining_params.dropout_rate 0.2, "
        "latent_space_params.pca_enabled true, latent_space_params.visualize true, "
        "latent_space_params.compute_metrics true, sup_training_params.check_interval 25, "
        "sup_training_params.min_improvement 0.005."
    )


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("config.json", "config"), ("lr 1e-3, τ.json", "lr-1e-3"), ("---.json", "experiment"),
        (f"{'x' * 90}.json", "x" * 64),
    ],
)  # fmt: skip
def test_without_a_number_the_file_names_the_experiment(
    file: str, name: str, readme: Tree, write: Write
) -> None:
    del readme["experiment_num"]
    config = read_published(write(readme, file))
    assert config.name == config.tree(ten)["name"] == name
    assert config.results_folder is None


def test_three_sections_are_enough(write: Write) -> None:
    tree = read_published(
        write({"dataset": {}, "pretraining_params": {}, "augmentations": {"SignFlip": None}})
    ).tree(ten)
    assert tree["data"] == {"source": "npz", "root": None}
    assert (tree["pretrain"]["steps"], tree["finetune"]["steps"]) == (15_000, 5000)
    assert tree["policy"] == [{"SignFlip": {"p": 1.0}}]
    assert MemberSpec(name="SignFlip", p=1.0).build()


def test_the_section_data_leads_to_the_recordings(
    tmp_path: Path, readme: Tree, write: Write, change: Change
) -> None:
    folder = tmp_path / "processed"
    folder.mkdir()
    for name in ("SC4011E0", "SC4001E0", "SC4002E0"):
        epochs = np.random.default_rng(0).standard_normal((5, 3000)).astype(np.float32)
        labels = {"y": np.arange(5), "fs": 100.0, "ch_label": "EEG Fpz-Cz"}
        np.savez(folder / f"{name}.npz", x=epochs, **labels)
    tree = change(change(readme, "dataset.dset_path", f"{folder}/"), "dataset.max_files", 2)
    store = prepare(DataSpec.model_validate(read_published(write(tree)).data), tmp_path / "cache")
    assert (store.nights, store.channels) == ({"SC400": 2}, ("EEG Fpz-Cz",))
