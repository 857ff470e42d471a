"""A split that the user wrote down: who is tested on, and who is trained and validated on."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec

LAYOUT = "test: [names], blocks: [{train: [names], validation: [names]}, …]"

Names = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]


class ListedBlock(PartSpec):
    """Names of the subjects that one block is trained on and validated on."""

    train: Names
    validation: Names


class ListedSplits(PartSpec):
    """A split file: the test subjects of the study, and a block for each drawn split."""

    test: Names
    blocks: Annotated[tuple[ListedBlock, ...], Field(strict=False, min_length=1)]


def read_split_file(path: Path) -> ListedSplits:
    """Read a split file, YAML or JSON.

    Raises `UserError` when it cannot be read, has another layout, or names somebody twice.
    """
    try:
        content = yaml.safe_load(path.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, f"cannot be read ({error})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _refused(path, f"is neither YAML nor JSON ({_one_line(error)})") from error
    try:
        listed = ListedSplits.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        hint = "; put names that look like numbers in quotes" * (first["type"] == "string_type")
        raise _refused(path, f"{where}: {first['msg']}{hint}") from error
    for number, block in enumerate(listed.blocks):
        twice = _repeated([*block.train, *block.validation, *listed.test])
        if twice:
            raise _refused(path, f"blocks.{number}: named more than once: {', '.join(twice)}")
    return listed


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


def _one_line(error: Any) -> str:
    return " ".join(str(error).split())


def _refused(path: Path, what: str) -> UserError:
    return UserError(f"split.file {path}: {what}. A split file holds {LAYOUT}.")
