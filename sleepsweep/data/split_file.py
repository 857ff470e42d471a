"""A split that the user wrote down: who is tested on, and who is trained and validated on."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec
from sleepsweep.yamlfile import parse_yaml

LAYOUT = "test: [names], blocks: [{train: [names], validation: [names]}, …]"

Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class ListedBlock(PartSpec):
    """Names of the subjects that one block is trained on and validated on."""

    train: Names
    """Names of subjects."""
    validation: Names
    """Names of subjects."""


class ListedSplits(PartSpec):
    """A split file: the test subjects of the study, and a block for each drawn split."""

    test: Names
    """Names of the subjects that are set aside."""
    blocks: Annotated[tuple[ListedBlock, ...], Field(strict=False, min_length=1)]
    """Who is trained and validated on in each block."""

    @model_validator(mode="after")
    def _nobody_twice(self) -> "ListedSplits":
        for number, block in enumerate(self.blocks):
            twice = _repeated([*block.train, *block.validation, *self.test])
            if twice:
                raise ValueError(f"blocks.{number}: named more than once: {', '.join(twice)}")
        return self


def read_split_file(path: Path) -> ListedSplits:
    """Read a split file, YAML or JSON; a relative path is one from the current folder.

    Raises `UserError` when it cannot be read, has another layout, or names somebody twice.
    """
    try:
        content, _ = parse_yaml(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, f"cannot be read ({error}){_lost(path)}") from error
    except yaml.YAMLError as error:
        raise _refused(path, f"is neither YAML nor JSON ({_one_line(error)})") from error
    try:
        return ListedSplits.model_validate(content)
    except ValidationError as error:
        raise _refused(path, _sentence(error)) from error


def check_people(path: Path, listed: ListedSplits, subjects: Collection[str]) -> None:
    """Raise `UserError` unless every block of the file has a place for exactly these `subjects`."""
    for number, block in enumerate(listed.blocks):
        named = {*block.train, *block.validation, *listed.test}
        unknown, missing = sorted(named - set(subjects)), sorted(set(subjects) - named)
        if unknown:
            held = ", ".join(sorted(subjects))
            what = f"blocks.{number} and test name {', '.join(unknown)}, but the data hold {held}"
            raise _refused(path, what)
        if missing:
            what = f"blocks.{number} and test leave out {', '.join(missing)} of the data"
            raise _refused(path, f"{what}; each subject is named once, in test or in the block")


def _repeated(names: Iterable[str]) -> list[str]:
    def again() -> Iterator[str]:
        seen: set[str] = set()
        for name in names:
            if name in seen:
                yield name
            seen.add(name)

    return sorted(set(again()))


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    where = ".".join(map(str, first["loc"])) or "the file"
    hint = "; put names that look like numbers in quotes" * (first["type"] == "string_type")
    return f"{where}: {first['msg']}{hint}"


def _lost(path: Path) -> str:
    place = path.expanduser()
    looked = "" if place.is_absolute() else f", looked for in {Path.cwd()}"
    return (
        f"{looked}; a sweep that was begun with it keeps its content in sweep.json, as "
        "spec.split.listed"
    )


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())


def _refused(path: Path, what: str) -> UserError:
    return UserError(f"split.file {path}: {what}. A split file holds {LAYOUT}.")
