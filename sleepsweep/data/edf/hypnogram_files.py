"""Where hypnograms are written: EDF+ annotations, a table, or a column of labels.

How the file of one data set is read is part of its description (`sleepsweep.data.edf.description`).
"""

import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator

from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.hypnogram import MEANINGS, Hypnogram, Lasting, hypnogram, meanings
from sleepsweep.data.edf.signals import open_raw
from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec

if TYPE_CHECKING:
    import pandas as pd

Span = tuple[float, float, str]
NO_NUMBER = ("", "n/a", "nan", "NaN")  # BIDS writes n/a


def _text_keys(labels: object) -> object:
    # YAML reads an unquoted 0 as a number, though it is a label.
    return (
        {str(key): value for key, value in labels.items()} if isinstance(labels, dict) else labels
    )


def _with_meaning(labels: dict[str, str]) -> dict[str, str]:
    for label, meaning in labels.items():
        if meaning not in MEANINGS:
            raise ValueError(f"{label}: {meaning} is no stage; allowed: {', '.join(MEANINGS)}")
    return labels


Labels = Annotated[dict[str, str], BeforeValidator(_text_keys), AfterValidator(_with_meaning)]


class HypnogramSpec(PartSpec):
    """How a hypnogram file is read."""

    format: Literal["annotations", "table", "column"] = "annotations"
    """EDF+ or BDF+; CSV or TSV with a header line; plain text, one label a line and epoch."""
    onset: str = "onset"
    """The table's column of onsets in seconds; where there is none a row is an epoch."""
    duration: str = "duration"
    """The table's column of durations in seconds, where there is one."""
    stage: str = "stage"
    """The table's column of stages."""
    lasting: Lasting | None = None
    """How long a stage without a duration lasts; needed only where that makes a difference."""

    def read(self, path: Path, labels: dict[str, str], epoch_s: float) -> Hypnogram:
        """Read the file at `path`; `labels` as in `sleepsweep.data.edf.hypnogram.hypnogram`.

        Raises `UserError` when it cannot be read, or holds other labels.
        """
        if self.format == "annotations":
            return read_annotations(path, labels, epoch_s, self.lasting)
        if self.format == "column":
            return _counted(_lines(path), labels, epoch_s, path)
        return self._read_table(path, labels, epoch_s)

    def _read_table(self, path: Path, labels: dict[str, str], epoch_s: float) -> Hypnogram:
        table = _table(path)
        self._check_columns(path, list(table.columns), labels)
        stages = table[self.stage].str.strip().tolist()
        if self.onset not in table:
            return _counted(stages, labels, epoch_s, path)
        onsets_s = _seconds(path, table, self.onset)
        durations_s = [0.0] * len(table)
        if self.duration in table:
            durations_s = _seconds(path, table, self.duration, empty=0.0)
        spans = zip(onsets_s, durations_s, stages, strict=True)
        return hypnogram(spans, labels, epoch_s, str(path), lasting=self.lasting)

    def _check_columns(self, path: Path, held: list[str], labels: dict[str, str]) -> None:
        known = meanings(labels)
        if all(name.lower() in known for name in held):
            raise UserError(
                f"{path}: its first line, {', '.join(held)!r}, is a stage and no header line. For "
                "one label a line set hypnogram.format: column; else add a header line."
            )
        # Those that are named must be there: left out silently, they would shift every stage.
        for key in ("stage", *sorted({"onset", "duration"} & self.model_fields_set)):
            name = getattr(self, key)
            if name not in held:
                raise UserError(
                    f"{path}: has no column {name!r}; it has: {', '.join(held)}. Name the right "
                    f"one under hypnogram.{key}."
                )


def read_annotations(
    path: Path, labels: dict[str, str], epoch_s: float, lasting: Lasting | None = None
) -> Hypnogram:
    """Read the EDF+ or BDF+ annotations of a file, with or without signals beside them.

    Raises `UserError` when the file cannot be read or holds none.
    """
    header = read_header(path)
    if not header.has_annotations:
        raise UserError(
            f"{path}: holds no EDF+ annotations, only signals ({', '.join(header.labels)}). Say "
            "under hypnogram in a description file where the stages are."
        )
    if header.signals:
        found = open_raw(path, header.labels[:1]).annotations
    else:
        # Without a signal `open_raw` takes the file to last a second; where there are signals,
        # `mne.read_annotations` would take chance bytes of theirs for annotations.
        from mne import read_annotations as read_all  # takes time

        found = read_all(path, encoding="latin1")
    spans = [
        (float(onset_s), float(duration_s), _utf8(text))
        for onset_s, duration_s, text in zip(
            found.onset, found.duration, found.description, strict=True
        )
    ]
    return hypnogram(spans, labels, epoch_s, str(path), header.start, lasting)


def _utf8(text: str) -> str:
    # Annotations are UTF-8 by the standard; some programs write Latin-1, as which any bytes pass.
    try:
        return text.encode("latin1").decode("utf-8")
    except UnicodeError:
        return text


def _counted(stages: list[str], labels: dict[str, str], epoch_s: float, path: Path) -> Hypnogram:
    spans = [(place * epoch_s, epoch_s, stage) for place, stage in enumerate(stages)]
    return replace(hypnogram(spans, labels, epoch_s, str(path)), counted=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error}).") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: cannot be read as UTF-8 text ({error}). Save it again as UTF-8."
        ) from error


def _lines(path: Path) -> list[str]:
    # A blank line inside is an epoch whose label is missing, and to be refused: to leave it out
    # would shift all later ones.
    return [line.strip() for line in _text(path).rstrip().splitlines()]


def _table(path: Path) -> "pd.DataFrame":
    import pandas as pd  # takes time

    text = _text(path).rstrip("\r\n")
    header = text.partition("\n")[0]
    separator = next((mark for mark in "\t;" if mark in header), ",")
    try:
        with warnings.catch_warnings():
            # Rows of more fields than the header has would shift the columns or be cut.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                io.StringIO(text), sep=separator, dtype=str, keep_default_na=False,
                index_col=False, skip_blank_lines=False,
            )  # fmt: skip
    except pd.errors.ParserWarning as error:
        raise UserError(
            f"{path}: its rows have more fields than its header line. Name every column there."
        ) from error
    except ValueError as error:  # pandas' parser errors are ValueErrors
        raise UserError(f"{path}: is not a table with a header line ({error}).") from error
    return table.rename(columns=str.strip)


def _seconds(
    path: Path, table: "pd.DataFrame", column: str, empty: float | None = None
) -> list[float]:
    values = []
    for line, text in enumerate(table[column], start=2):
        if text.strip() in NO_NUMBER and empty is not None:
            values.append(empty)
            continue
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise UserError(
                f"{path}, line {line}: {column} is {text!r}, not a number of seconds after the "
                "recording's start."
            )
        values.append(value)
    return values
