"""Reading a published config from disk, with errors that name the key and what is allowed."""

import difflib
import re
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sleepsweep.errors import UserError
from sleepsweep.published.augmentations import translate_all
from sleepsweep.published.config import PublishedConfig
from sleepsweep.published.jsonfile import read_json
from sleepsweep.published.sections import PublishedSpec
from sleepsweep.spec.pool import KeyedError
from sleepsweep.yamlfile import Location


def read_published(path: Path) -> PublishedConfig:
    """Return the published config at `path`, of either dialect.

    Raises `UserError` naming the file, the key and what is allowed.
    """
    tree = read_json(path)
    try:
        spec = PublishedSpec.model_validate(tree)
        augmentations = translate_all(spec.augmentations)
    except ValidationError as error:
        raise UserError(_told(path, error)) from error
    except KeyedError as error:
        key = _dotted(("augmentations", *error.path))
        raise UserError(f"{path}, {key}: {str(error).rstrip('.')}.") from error
    return PublishedConfig(spec, augmentations, _as_name(path.stem))


def _told(path: Path, error: ValidationError) -> str:
    # A misspelt key is missing too: the word that is there is what to look at.
    mistakes = sorted(error.errors(), key=lambda mistake: mistake["type"] == "missing")
    first, location = mistakes[0], mistakes[0]["loc"]
    more = f"\n({len(mistakes) - 1} more to mend)" if len(mistakes) > 1 else ""
    return f"{path}, {_dotted(location)}: {_sentence(dict(first), location)}.{more}"


def _sentence(error: Mapping[str, Any], location: Location) -> str:
    if error["type"] == "extra_forbidden":
        allowed = _allowed_keys(location[:-1])
        near = difflib.get_close_matches(str(location[-1]), allowed, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"unknown key; {hint}allowed: {', '.join(allowed)}"
    if error["type"] == "missing":
        return "this key is required"
    if error["type"] in ("model_type", "dict_type"):
        return f"must be an object of keys and values (got {reprlib.repr(error['input'])})"
    said = error.get("ctx", {}).get("error", error["msg"])
    return f"{said} (got {reprlib.repr(error['input'])})"


def _allowed_keys(location: Location) -> list[str]:
    model: type[BaseModel] = PublishedSpec
    for part in location:
        below = model.model_fields[str(part)].annotation
        model = below if isinstance(below, type) and issubclass(below, BaseModel) else model
    return list(model.model_fields)


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)


def _as_name(stem: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[:64]
    return kept or "experiment"
