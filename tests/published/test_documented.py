"""The page for people with old configs: every key stands in it, and its example is legal."""

import re
from pathlib import Path

from sleepsweep.part import PartSpec
from sleepsweep.published import read_published
from sleepsweep.published.augmentations import EVERYWHERE, RULES
from sleepsweep.published.sections import PublishedSpec

PAGE = (Path(__file__).parents[2] / "docs" / "published-configs.md").read_text()
ROWS = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("|")]


def keys_of(part: type[PartSpec]) -> set[str]:
    """Return the dotted keys of a config, those of its sections in their place."""
    keys: set[str] = set()
    for key, field in part.model_fields.items():
        below = field.annotation
        is_section = isinstance(below, type) and issubclass(below, PartSpec)
        keys |= {f"{key}.{inner}" for inner in keys_of(below)} if is_section else {key}
    return keys


def test_every_key_has_a_row() -> None:
    documented = set()
    for published, *_ in ROWS:
        names = re.findall(r"`([\w.]+)`", published)
        section = names[0].partition(".")[0] if names else ""
        documented |= {section + name if name.startswith(".") else name for name in names}
    assert documented == keys_of(PublishedSpec)


def test_every_key_of_an_augmentation_has_a_row() -> None:
    documented: dict[str, set[str]] = {}
    name = ""
    for first, second, *_ in ROWS:
        name = first.strip() or name
        if name in RULES:
            keys = set(re.findall(r"`(\w+)`", second))
            documented[name] = documented.get(name, set()) | keys
    assert documented == {name: set(rules) for name, rules in RULES.items()}
    assert all(f"`{key}`" in PAGE for key in EVERYWHERE)


def test_the_example_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "config.json"
    path.write_text(example)
    assert read_published(path).tree(lambda size: 90_000 // size)["pretrain"]["steps"] == 70_200


def test_the_defaults_of_the_table_are_those_of_the_sections() -> None:
    given = {"dataset": {}, "pretraining_params": {}, "augmentations": {}}
    tree = PublishedSpec.model_validate(given).model_dump()
    for published, _, default in (row for row in ROWS if len(row) == 3):
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", published):
            section, key = name.split(".")
            if re.fullmatch(r"[\d.]+", default.strip()):
                assert tree[section][key] == float(default), name
