"""A split that the user wrote down."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.data.split import Split, SplitSpec, draw_split, set_aside
from sleepsweep.errors import UserError

PEOPLE = dict.fromkeys("abcde", 1)
LISTED: dict[str, Any] = {
    "test": ["e"],
    "blocks": [
        {"train": ["a", "b", "c"], "validation": ["d"]},
        {"train": ["d", "b"], "validation": ["c", "a"]},
    ],
}


def write(tmp_path: Path, content: Any = LISTED) -> str:
    path = tmp_path / "split.yaml"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def refused(tmp_path: Path, content: Any) -> str:
    file = write(tmp_path, content)
    with pytest.raises(UserError) as caught:
        set_aside(PEOPLE, SplitSpec(protocol="file", file=file))
    message = str(caught.value)
    assert message.startswith(f"split.file {file}: ")
    assert "A split file holds test: [names], blocks:" in message
    return message


def test_the_file_says_it_all(tmp_path: Path) -> None:
    spec = SplitSpec(protocol="file", file=write(tmp_path))
    assert spec.blocks == 2
    assert SplitSpec.model_validate(spec.model_dump(mode="json")) == spec
    test = set_aside(PEOPLE, spec)
    assert test == ("e",)
    assert draw_split(PEOPLE, test, spec, 1) == Split(("b", "d"), ("a", "c"), ("e",))


def test_the_file_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path)
    spec = SplitSpec(protocol="file", file=file)
    other = {"test": ["a"], "blocks": [{"train": ["b"], "validation": ["c", "d", "e"]}]}
    write(tmp_path, other)
    assert set_aside(PEOPLE, spec) == ("e",)
    assert draw_split(PEOPLE, ("e",), spec, 1) == Split(("b", "d"), ("a", "c"), ("e",))
    Path(file).unlink()
    dumped = spec.model_dump(mode="json")
    assert dumped["listed"] == LISTED
    assert SplitSpec.model_validate(dumped) == spec


def test_a_lost_file_is_written_anew_from_what_a_sweep_keeps(tmp_path: Path) -> None:
    spec = SplitSpec(protocol="file", file=write(tmp_path))
    kept = spec.model_dump(mode="json")["listed"]
    (tmp_path / "split.yaml").unlink()
    with pytest.raises(
        UserError, match=r"keeps its content in sweep\.json, as spec\.split\.listed"
    ):
        SplitSpec(protocol="file", file=spec.file)
    assert SplitSpec(protocol="file", file=write(tmp_path, kept)) == spec


def test_a_relative_path_is_one_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert SplitSpec(protocol="file", file="split.yaml").blocks == 2
    with pytest.raises(UserError, match=rf"looked for in {tmp_path};"):
        SplitSpec(protocol="file", file="nowhere.yaml")


def test_yaml_is_read_as_json_is(tmp_path: Path) -> None:
    text = "test: [e]\nblocks:\n- train: [a, b, c]\n  validation: [d]\n"
    spec = SplitSpec(protocol="file", file=write(tmp_path, text), blocks=1)
    assert draw_split(PEOPLE, ("e",), spec, 0) == Split(("a", "b", "c"), ("d",), ("e",))


def block(**changes: Any) -> dict[str, Any]:
    return {**LISTED, "blocks": [LISTED["blocks"][0], {**LISTED["blocks"][1], **changes}]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (block(train=["d", "b", "zoe"]), "blocks.1 and test name zoe, but the data hold a, b, c"),
        (block(train=["d"]), "blocks.1 and test leave out b of the data"),
        (block(train=["d", "b", "b"]), "blocks.1: named more than once: b"),
        (block(train=["d", "b", "a"]), "blocks.1: named more than once: a"),
        (block(validation=["c", "a", "e"]), "blocks.1: named more than once: e"),
        (block(validation=[]), "blocks.1.validation: "),
        (block(train=[1, 2]), "blocks.1.train.0: Input should be a valid string; put names that"),
        (block(trian=["a"]), "blocks.1.trian: "),
        ({**LISTED, "test": "e"}, "test: "),
        ({"test": ["e"]}, "blocks: Field required"),
        ("- a\n", "the file: "),
        ("a: [b\n", "is neither YAML nor JSON"),
        ("test: [e]\ntest: [a]\n", "line 2: test is given twice"),
        ("test: !!python/object/apply:os.getcwd []", "is neither YAML nor JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: Any, said: str) -> None:
    assert said in refused(tmp_path, content)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        SplitSpec(protocol="file", file=str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"protocol": "subject"}, "file and listed are read by protocol file only"),
        ({"file": None}, "needs the path of a split file"),
        ({"listed": None}, "needs the path of a split file"),
        ({"listed": block(train=["d", "b", "a"])}, "blocks.1: named more than once: a"),
        ({"protocol": "subject", "file": None, "listed": LISTED}, "listed are read by protocol"),
        ({"blocks": 3}, "blocks is 3, but .* lists 2; leave blocks out"),
        ({"validation": 0.3, "seed": 1}, "takes everything from its file; remove validation, seed"),
    ],
)
def test_keys_that_do_not_go_together(tmp_path: Path, keys: dict[str, Any], said: str) -> None:
    given = {"protocol": "file", "file": write(tmp_path), **keys}
    with pytest.raises(ValidationError, match=said):
        SplitSpec.model_validate(given)
