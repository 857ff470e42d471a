"""Folders of configs, in the order in which people number them."""

from pathlib import Path

import pytest

from sleepsweep.errors import UserError
from sleepsweep.published import configs_in


def test_two_comes_before_ten(tmp_path: Path) -> None:
    names = ["config_1.json", "config_2.yaml", "Config_3.yml", "config_10.JSON", "config_10b.json"]
    for name in [*reversed(names), "notes.txt", ".config_0.json", "._config_1.json"]:
        (tmp_path / name).touch()
    (tmp_path / "config_4.json").mkdir()
    assert [path.name for path in configs_in(tmp_path)] == names


def test_numbers_and_words_and_twins_have_an_order(tmp_path: Path) -> None:
    names = ["2.json", "a.json", "a1_2.json", "a1_10.json", "a01_11.json", "b.json"]
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in configs_in(tmp_path)] == names


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserError, match=r"holds no config \(\*\.json, \*\.yaml, \*\.yml\)"):
        configs_in(tmp_path)
    with pytest.raises(UserError, match="cannot be read as a folder"):
        configs_in(tmp_path / "nowhere")
    with pytest.raises(UserError, match="cannot be read as a folder"):
        configs_in(tmp_path / "a.txt")
