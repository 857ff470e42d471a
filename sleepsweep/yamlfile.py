"""YAML that people write: nothing in it is executed, and no key is given twice in silence."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

Location = tuple[int | str, ...]


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader, to which 1e-3 is a number as in YAML 1.2, and no text as in 1.1."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def parse_value(text: str) -> Any:
    """Return what a `text` without places says. Raises `yaml.YAMLError` if it is not valid YAML."""
    return yaml.load(text, Loader=Loader)  # noqa: S506 - it is a safe one


def parse_yaml(text: str) -> tuple[Any, dict[Location, int]]:
    """Return what `text` says, and the line of every key and list item by its location.

    Raises `yaml.YAMLError` for what is not valid YAML, and for a key that is given twice: the last
    one would win.
    """
    try:
        root = yaml.compose(text, Loader=Loader)
        content = parse_value(text)
        located = list(_locations(root))
    except RecursionError as error:
        raise yaml.YAMLError("it holds itself, or is nested too deeply") from error
    lines: dict[Location, int] = {}
    for location, line in located:
        if location in lines:
            raise yaml.YAMLError(f"line {line}: {'.'.join(map(str, location))} is given twice")
        lines[location] = line
    return content, lines


def _locations(node: Any, at: Location = ()) -> Iterator[tuple[Location, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1
            yield from _locations(value, (*at, key.value))
    if isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            yield (*at, place), value.start_mark.line + 1
            yield from _locations(value, (*at, place))
