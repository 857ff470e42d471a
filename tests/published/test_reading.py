"""Wrong configs: one clear message, with the file, the key and what is allowed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError
from sleepsweep.published import is_published, read_published
from sleepsweep.published.augmentations import RULES

Tree = dict[str, Any]
Write = Callable[..., Path]
Change = Callable[[Tree, str, Any], Tree]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("sed", r"sed: unknown key; did you mean seed\? allowed: seed, experiment_num"),
        (
            "dataset.montages",
            r"dataset.montages: unknown key; did you mean montage\? allowed: dset",
        ),
        ("pretraining_params.temprature", r"did you mean temperature\? allowed: batch_size, "),
        ("latent_space_params.umap_enable", r"did you mean umap_enabled\?"),
        ("sup_training_params.dropout", r"did you mean dropout_rate\? allowed: learning_rate"),
        ("sup_training_params.qqqq", "qqqq: unknown key; allowed: learning_rate"),
        ("augmentations.SignFlop", r"augmentations.SignFlop: unknown augmentation; did you mean S"),
        ("augmentations.TimeWarping.sigm", r"TimeWarping.sigm: unknown key; did you mean sigma\?"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_and_the_allowed(
    key: str, message: str, readme: Tree, write: Write, change: Change
) -> None:
    value: Any = {} if key == "augmentations.SignFlop" else 1
    with pytest.raises(UserError, match=message) as refused:
        read_published(write(change(readme, key, value)))
    assert "config.json, " in str(refused.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed", -1, "seed: .*greater than or equal to 0"),
        ("seed", "42", "seed: .*valid integer.*got '42'"),
        ("seed", True, "seed: .*valid integer"),
        ("experiment_num", 1.5, "experiment_num: .*valid integer"),
        ("results_folder", "", "results_folder: must be a text that .* not be blank"),
        ("dataset.montage", "  ", "dataset.montage: must be a text that can be printed"),
        ("results_folder", "a\0b", "results_folder: must be a text that can be printed"),
        ("dataset", [], "dataset: must be an object of keys and values"),
        ("dataset", None, "dataset: must be an object"),
        ("dataset.dset_path", 3, "dataset.dset_path: .*valid string"),
        ("dataset.max_files", 0, "dataset.max_files: .*greater than or equal to 1"),
        ("dataset.montage", ["Fpz-Cz"], "dataset.montage: .*valid string"),
        ("pretraining_params.batch_size", 1, "batch_size: .*greater than or equal to 2"),
        ("pretraining_params.batch_size", 256.5, "batch_size: .*integer"),
        ("pretraining_params.temperature", 0, "temperature: .*greater than 0"),
        ("pretraining_params.dropout_rate", 1, "dropout_rate: .*less than 1"),
        ("pretraining_params.max_epochs", 0, "max_epochs: .*greater than or equal to 1"),
        ("pretraining_params.max_epochs", None, "max_epochs: .*valid integer"),
        ("latent_space_params.umap_enabled", "yes", "umap_enabled: .*valid boolean"),
        ("latent_space_params.visualize", 1, "visualize: .*valid boolean"),
        ("latent_space_params.visualization_fraction", 2, "less than or equal to 1"),
        ("sup_training_params.learning_rate", "1e-3", "learning_rate: .*valid number"),
        ("augmentations", ["SignFlip"], "augmentations: must be an object"),
        ("augmentations.SignFlip", 0.5, "augmentations.SignFlip: must be an object"),
        ("augmentations.SignFlip", {"p": 2}, "augmentations.SignFlip.p: 2 is no probability"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(
    key: str, value: Any, message: str, readme: Tree, write: Write, change: Change
) -> None:
    with pytest.raises(UserError, match=message):
        read_published(write(change(readme, key, value)))


@pytest.mark.parametrize("section", ["dataset", "pretraining_params", "augmentations"])
def test_a_missing_section_is_named(section: str, readme: Tree, write: Write) -> None:
    del readme[section]
    with pytest.raises(UserError, match=f"{section}: this key is required"):
        read_published(write(readme))


def test_several_mistakes_are_counted(readme: Tree, write: Write) -> None:
    readme["dataset"] = {"dsetpath": "x", "max_files": 0}
    del readme["pretraining_params"]
    with pytest.raises(UserError, match=r"(?s)dataset.*\(2 more to mend\)"):
        read_published(write(readme))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("seed: 42", "line 1, column 1: not valid JSON"),
        ('{"seed": 42,}', "line 1, column 1.: not valid JSON"),
        ('{"seed": 42', "not valid JSON"),
        ('{"seed": 042}', "not valid JSON"),
        ("[]", "holds no JSON object"),
        ("3", "holds no JSON object"),
        ("null", "holds no JSON object"),
        ('{"seed": 1, "seed": 2}', "the key 'seed' is given twice"),
        ('{"dataset": {"montage": "a", "montage": "a"}}', "the key 'montage' is given twice"),
        ('{"seed": NaN}', "NaN is no number"),
        ('{"seed": -Infinity}', "-Infinity is no number"),
        ('{"seed": 1e999}', "1e999 is too large"),
        ('{"seed": ' + "9" * 5000 + "}", "more than 18 digits"),
        ('{"\\ud800": 1}', r"'\\ud800' has characters that cannot be printed"),
        ('{"results_folder": "\\ud800"}', "results_folder: "),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ('{"dataset": ' + "[" * 500 + "]" * 500 + "}", r"dataset: must be an object .*\.\.\."),
        ('{"augmentations": {"SignFlip": {"p": ' + "[" * 500 + "]" * 500 + "}}}", "required"),
        ("{}", r"this key is required"),
    ],
)
def test_a_file_that_is_no_config_is_refused_in_a_sentence(
    text: str, message: str, write: Write
) -> None:
    with pytest.raises(UserError, match=message) as refused:
        read_published(write(text))
    assert "config.json" in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_file_that_cannot_be_read(tmp_path: Path, readme: Tree, write: Write) -> None:
    write(readme, "config_90.json")
    with pytest.raises(UserError, match=r"no such file\. Did you mean .*config_90\.json\?"):
        read_published(tmp_path / "config_9.json")
    with pytest.raises(UserError, match=r"no such file\.$"):
        read_published(tmp_path / "nowhere" / "a.json")
    with pytest.raises(UserError, match="cannot be read"):
        read_published(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"montage": "\xe9"}')
    with pytest.raises(UserError, match=r"latin\.json: cannot be read"):
        read_published(tmp_path / "latin.json")


def test_a_mark_of_the_encoding_is_no_mistake(readme: Tree, write: Write) -> None:
    path = write(readme)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_published(path).name == "experiment_90"


def test_a_config_is_told_by_its_ending() -> None:
    assert is_published(Path("a/config_1.json"))
    assert is_published(Path("CONFIG.JSON"))
    assert not is_published(Path("space.yaml"))
    assert not is_published(Path("json"))


WHOLE = st.integers() | st.integers(-(10**6), 10**6)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below),
    max_leaves=5,
)
PLACES = [
    *(
        "seed",
        "experiment_num",
        "results_folder",
        "dataset",
        "augmentations",
        "latent_space_params",
    ),
    *(
        "dataset.dset_path",
        "dataset.max_files",
        "dataset.montage",
        "pretraining_params.temperature",
    ),
    *(f"augmentations.{name}" for name in RULES),
    *(f"augmentations.{name}.{key}" for name, rules in RULES.items() for key in (*rules, "p", "x")),
]


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON)
def test_whatever_stands_there_is_read_or_refused(
    place: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    augmentations: Tree = {name: {} for name in RULES}
    tree: Tree = {
        "dataset": {}, "pretraining_params": {}, "latent_space_params": {},
        "augmentations": augmentations,
    }  # fmt: skip
    *parents, last = place.split(".")
    below = tree
    for parent in parents:
        below = below[parent]
    below[last] = value
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(tree))
    refused = ""
    try:
        config = read_published(path)
    except UserError as error:
        refused = str(error)
    if refused:
        assert refused.startswith(str(path))
        assert refused.encode()
    else:
        assert yaml.safe_load(yaml.safe_dump(config.tree(lambda size: 3)))
        DataSpec.model_validate(config.data)
        assert all(note.endswith(".") for note in config.notes)
