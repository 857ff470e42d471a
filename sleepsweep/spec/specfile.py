"""Reading a YAML of ours from disk: presets, overrides, and errors that name key and line."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from sleepsweep.errors import UserError
from sleepsweep.spec.ranges import is_range
from sleepsweep.spec.studyspec import StudySpec
from sleepsweep.yamlfile import Location, parse_value, parse_yaml

Tree = dict[str, Any]
Study = TypeVar("Study", bound=StudySpec)


def read_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Return dotted keys and values from ``key.path=value`` texts; values are read as YAML.

    Raises `UserError` for a text of another form.
    """
    overrides: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise UserError(f"--set {setting}: give KEY=VALUE, for example pretrain.steps=600.")
        try:
            overrides[key] = parse_value(value)
        except yaml.YAMLError as error:
            raise UserError(f"--set {setting}: the value is not valid YAML.") from error
    return overrides


def read_study(
    kind: type[Study], path: Path, *, preset: str | None = None,
    overrides: Mapping[str, Any] | None = None, data: Path | None = None,
) -> Study:  # fmt: skip
    """Return the study of a `kind`, such as `SweepSpec`, that the YAML at `path` describes.

    Raises `UserError` naming the key, its line and what is allowed. See `study_of`.
    """
    tree, lines = _parse(_read_text(path), path, kind)
    return study_of(kind, tree, path, lines=lines, preset=preset, overrides=overrides, data=data)


def study_of(
    kind: type[Study], tree: Tree, path: Path, *, lines: Mapping[Location, int] | None = None,
    preset: str | None = None, overrides: Mapping[str, Any] | None = None,
    data: Path | None = None,
) -> Study:  # fmt: skip
    """Return the study that a `tree` describes, which stands at `lines` of the file `path`.

    `preset` chooses one of the tree's ``presets`` in place of the one it names itself; `overrides`
    maps dotted keys (``pretrain.steps``) to values and wins over both; `data` points the study at
    other recordings, whose kind is detected. Every preset of the file is validated, chosen or not.
    """
    tree = dict(tree)
    presets = tree.pop("presets", None) or {}
    if not isinstance(presets, dict) or not all(
        isinstance(changes, dict | None) for changes in presets.values()
    ):
        raise UserError(f"{path}: presets must map each name to keys of {kind.what}.")
    overrides, source = dict(overrides or {}), _Source(path, lines or {})
    chosen = preset or overrides.pop("preset", None) or tree.get("preset")
    for name in presets:
        _validate(kind, _merged(tree, name, presets, path), source, name, {})
    changed = _merged(tree, chosen, presets, path)
    for key, value in overrides.items():
        _set(changed, key, value)
    spec = _validate(kind, changed, source, chosen, overrides)
    return spec if data is None else spec.model_copy(update={"data": spec.data.pointed_at(data)})


@dataclass(frozen=True)
class _Source:
    path: Path
    lines: Mapping[Location, int]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.yaml")], 1)
        hint = f" Did you mean {path.parent / near[0]}?" if near else ""
        raise UserError(f"{path}: no such file.{hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error


def _parse(text: str, path: Path, kind: type[StudySpec]) -> tuple[Tree, dict[Location, int]]:
    try:
        tree, lines = parse_yaml(text)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML.\n{error}") from error
    if not isinstance(tree, dict):
        raise UserError(f"{path}: {kind.what} is a YAML mapping with at least the key `name`.")
    return tree, lines


def _merged(tree: Tree, chosen: object, presets: Tree, path: Path) -> Tree:
    if chosen is None:
        return _overlaid(tree, {})
    if not isinstance(chosen, str) or chosen not in presets:
        allowed = ", ".join(presets) or "none are defined in this file"
        raise UserError(f"{path}: unknown preset {chosen!r}; allowed: {allowed}.")
    return _overlaid(tree, {**(presets[chosen] or {}), "preset": chosen})


def _overlaid(below: Tree, above: Tree) -> Tree:
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        both = isinstance(under, dict) and isinstance(value, dict) and not is_range(value)
        result[key] = _overlaid(under, value) if both else value  # type: ignore[arg-type]
    return result


def _set(tree: Tree, key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        branch = tree.get(parent)
        tree[parent] = dict(branch) if isinstance(branch, dict) else {}
        tree = tree[parent]
    tree[last] = value


def _validate(
    kind: type[Study], tree: Tree, source: _Source, preset: str | None,
    overrides: Mapping[str, Any],
) -> Study:  # fmt: skip
    try:
        return kind.model_validate(tree)
    except ValidationError as error:
        # A default that depends on a wrong key is no mistake of its own.
        mistakes = [e for e in error.errors() if e["type"] != "default_factory_not_called"]
        # A misspelt key is missing too: the word that is there is what to look at.
        first, *others = sorted(mistakes, key=lambda mistake: mistake["type"] == "missing")
        location = _location(first)
        # What is neither of two things is one mistake.
        same = [first, *(mistake for mistake in others if _location(mistake) == location)]
        left = len(mistakes) - len(same)
        more = f"\n({left} more to mend)" if left else ""
        where = _where(source, location, preset, overrides)
        raise UserError(f"{where}: {_sentence(kind, same, location)}{more}") from error


def _location(mistake: Mapping[str, Any]) -> Location:
    path: Location = getattr(mistake.get("ctx", {}).get("error"), "path", ())
    return (*(part for part in mistake["loc"] if not _is_branch(part)), *path)


def _is_branch(part: int | str) -> bool:
    # pydantic adds the name of the tried member of a union to an error's location.
    branches = ("int", "float", "tuple", "constrained-float")
    return isinstance(part, str) and (part in branches or "[" in part)


def _where(
    source: _Source, location: Location, preset: str | None, overrides: Mapping[str, Any]
) -> str:
    path, lines = source.path, source.lines
    dotted = _dotted(location)
    if any(dotted == key or dotted.startswith(f"{key}.") for key in overrides):
        return f"{dotted} (given on the command line)"
    for start in (("presets", preset), ()) if preset else ((),):
        for end in range(len(location), 0, -1):
            line = lines.get((*start, *location[:end]))
            if line is not None and (end == len(location) or not start):
                return f"{path}, line {line}, {dotted}"
    return f"{path}, {dotted}" if dotted else str(path)


def _sentence(
    kind: type[StudySpec], mistakes: Sequence[Mapping[str, Any]], location: Location
) -> str:
    error = mistakes[0]
    if error["type"] == "extra_forbidden":
        return _unknown_key(kind, location)
    if error["type"] == "missing":
        return "this key is required"
    if "ctx" in error and "error" in error["ctx"]:
        return str(error["ctx"]["error"])
    told = ", or ".join(dict.fromkeys(str(mistake["msg"]) for mistake in mistakes))
    return f"{told} (got {error['input']!r})"


def _unknown_key(kind: type[StudySpec], location: Location) -> str:
    if _dotted(location) in kind.elsewhere:
        return kind.elsewhere[_dotted(location)]
    allowed = _allowed_keys(kind, location[:-1])
    near = difflib.get_close_matches(str(location[-1]), allowed, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {hint}allowed: {', '.join(allowed)}"


def _allowed_keys(kind: type[StudySpec], location: Location) -> list[str]:
    model: type[BaseModel] = kind
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[str(part)].annotation
        candidates = (annotation, *get_args(annotation))
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return list(model.model_fields)


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location)
