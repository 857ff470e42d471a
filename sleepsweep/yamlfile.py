"""YAML that people write: nothing in it is executed, and no key is given twice in silence."""

from collections.abc import Iterator
from typing import Any

import yaml

Location = tuple[int | str, ...]


def parse_yaml(text: str) -> tuple[Any, dict[Location, int]]:
    """Return what `text` says, and the line of every key and list item by its location.

    Raises `yaml.YAMLError` for what is not valid YAML, and for a key that is given twice: the last
    one would win.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
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
