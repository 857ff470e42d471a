"""Strict JSON: one value a key, and no number that is none."""

import difflib
import json
import math
from pathlib import Path
from typing import Any, NoReturn

from sleepsweep.errors import UserError

LONGEST_WHOLE = 18  # digits: those of a 64-bit integer


class StrictError(ValueError):
    """What Python's reader of JSON would take, and a careful one refuses."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that the JSON file at `path` holds.

    Raises `UserError` when it cannot be read, is not JSON or no object, gives a key twice, or has a
    number that is not finite or has more than 18 digits.
    """
    text = _read_text(path)
    if not text.strip():
        raise UserError(f"{path}: is empty. A published config is a JSON object of sections.")
    tree = _parsed(text, path)
    if not isinstance(tree, dict):
        raise UserError(
            f"{path}: holds no JSON object. A published config is one of sections, such as dataset "
            "and pretraining_params."
        )
    return tree


def _parsed(text: str, path: Path) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite,
            parse_int=_whole,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{path}, {where}: not valid JSON ({error.msg}).") from error
    except StrictError as error:
        raise UserError(f"{path}: {error}.") from error
    except RecursionError as error:
        raise UserError(f"{path}: nested too deeply for a published config.") from error


def _read_text(path: Path) -> str:
    try:
        # Editors of some systems begin a file with a mark of its encoding.
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        others = [other.name for other in path.parent.glob("*.json")]
        near = difflib.get_close_matches(path.name, others, 1)
        hint = f" Did you mean {path.parent / near[0]}?" if near else ""
        raise UserError(f"{path}: no such file.{hint}") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if not key.isprintable():
            raise StrictError(f"the key {key!a} has characters that cannot be printed")
        if key in tree:
            raise StrictError(f"the key {key!r} is given twice in one object; give it once")
        tree[key] = value
    return tree


def _no_number(text: str) -> NoReturn:
    raise StrictError(f"{text} is no number of JSON; give a finite one")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise StrictError(f"{text:.40} is too large for a number; give a finite one")
    return number


def _whole(text: str) -> int:
    if len(text.removeprefix("-")) > LONGEST_WHOLE:
        raise StrictError(f"{text:.40} has more than {LONGEST_WHOLE} digits; give a smaller number")
    return int(text)
