"""A data set described by a small YAML file, so that reading it needs no code.

```yaml
root: .                             # relative to this file
recordings: "sub-*/**/*_eeg.edf"    # below root; EDF, EDF+ or BDF
person: "(?P<subject>sub-[^_/]+)_ses-(?P<night>[0-9]+)_eeg"   # within that path
derivations: [C4-M1]
epoch_s: 30
hypnogram:
  file: "{folder}/{subject}_ses-{night}_events.tsv"
  format: table                     # annotations | table | column
  stage: trial_type
stages: {Lights off: ignore}        # besides the R&K and AASM labels
```
"""

import re
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from sleepsweep.data.edf.hypnogram_files import HypnogramSpec, Labels
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec
from sleepsweep.yamlfile import parse_yaml

PLACE = re.compile(r"\{(\w*)\}")  # in hypnogram.file
EXAMPLE = """\
recordings: "**/*.edf"
person: "(?P<subject>P[0-9]+)_night(?P<night>[0-9])"
derivations: [C4-M1]
hypnogram: {file: "{folder}/{stem}.csv", format: table, stage: stage}
stages: {Wach: W, Lights off: ignore}"""


def _one_or_more(derivations: object) -> object:
    return [derivations] if isinstance(derivations, str) else derivations


class HypnogramFileSpec(HypnogramSpec):
    """Where a recording's hypnogram is, and how it is read."""

    file: str | None = None
    """A path below root; null: the annotations inside the recording.

    ``{folder}``, ``{stem}`` and the groups of `person` are those of the recording, and ``*`` and
    ``?`` stand for any letters as long as one file fits.
    """

    @field_validator("file")
    @classmethod
    def _is_a_pattern(cls, file: str | None) -> str | None:
        if file is not None:
            _check_pattern(PLACE.sub("x", file))
        return file


class Description(PartSpec):
    """What a description file says; every key has a default, which fits EDF+ with annotations."""

    root: str = "."
    """The folder of the recordings, relative to the description file."""
    recordings: str = "**/*.[eEbB][dD][fF]"
    """Which files below it, as a pattern."""
    person: str | None = None
    """A regular expression, searched for in a path below root: its groups say who slept when.

    They are ``subject`` and ``night``; null: the file's name tells, as in BIDS or Sleep-EDF.
    """
    derivations: Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(strict=False)] = ()
    """Signals by their labels, or differences of two as C4-M1; none: the one that files hold."""
    epoch_s: float = Field(default=30, gt=0, le=3600)
    """The length of a scored epoch in seconds."""
    hypnogram: HypnogramFileSpec = HypnogramFileSpec()
    """Where the stages are, and in which form."""
    stages: Labels = Field(default_factory=dict)
    """What the file's labels mean: W, N1, N2, N3, R, unscored or ignore."""

    @field_validator("person")
    @classmethod
    def _names_a_subject(cls, person: str | None) -> str | None:
        try:
            groups = [] if person is None else list(re.compile(person).groupindex)
        except re.error as error:
            raise ValueError(f"{person} is not a regular expression: {error}") from error
        if person is not None and "subject" not in groups:
            raise ValueError(f"{person} needs a group (?P<subject>…), and may have (?P<night>…)")
        return person

    @field_validator("recordings")
    @classmethod
    def _is_a_pattern(cls, recordings: str) -> str:
        _check_pattern(recordings)
        return recordings

    @model_validator(mode="after")
    def _places_are_known(self) -> "Description":
        known = [*re.compile(self.person or "").groupindex, "folder", "stem"]
        for name in PLACE.findall(self.hypnogram.file or ""):
            if name not in known:
                places = ", ".join(f"{{{each}}}" for each in known)
                raise ValueError(f"hypnogram.file: {{{name}}} is not known; allowed: {places}")
        return self


def is_description(source: str) -> bool:
    """Whether `source` is named as a description file is."""
    return source.lower().endswith((".yaml", ".yml"))


def read_description(path: Path) -> Description:
    """Read a description file. Raises `UserError` naming the file and the key."""
    try:
        tree, _ = parse_yaml(path.read_text(encoding="utf-8"))
        described = Description.model_validate(tree)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML.\n{error}") from error
    except ValidationError as error:
        raise UserError(f"{path}: {_first_problem(error)}") from error
    return described


def _check_pattern(pattern: str) -> None:
    try:
        next(Path("nowhere").glob(pattern), None)
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f"{pattern!r} is no path or pattern below root ({error})") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    is_key = first["type"] == "extra_forbidden"
    inside = first["loc"][:1] == ("hypnogram",) and len(first["loc"]) > is_key
    allowed = ", ".join((HypnogramFileSpec if inside else Description).model_fields)
    if is_key:
        return f"{key}: unknown key; allowed: {allowed}."
    if first["type"] == "model_type":
        return f"{key or 'a description'} must map keys to values; allowed: {allowed}."
    own = first.get("ctx", {}).get("error")
    message = str(own) if own else f"{first['msg']} (got {first['input']!r})"
    return f"{key}: {message}." if key else f"{message}."
