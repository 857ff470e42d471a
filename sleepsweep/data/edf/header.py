"""What an EDF, EDF+ or BDF file says of itself, read before any sample is.

MNE-Python reads the samples, but does not tell what decides whether a file may be used: the rate
and the unit of every signal, and how many records the header promises; and edfio would read all of
a BDF file to tell. The header's fields have fixed widths: Kemp et al. 1992, Electroencephalogr.
Clin. Neurophysiol. 82(5):391–393; Kemp and Olivan 2003, Clin. Neurophysiol. 114(9):1755–1761.
"""

import math
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sleepsweep.data.names import PADDING
from sleepsweep.errors import UserError

# Widths in bytes; the file's fields come once, a signal's one after the other for all signals.
FILE_FIELDS = {
    "version": 8, "patient": 80, "recording": 80, "date": 8, "time": 8, "header bytes": 8,
    "reserved": 44, "records": 8, "record duration": 8, "signals": 4,
}  # fmt: skip
SIGNAL_FIELDS = {
    "label": 16, "transducer": 80, "unit": 8, "physical minimum": 8, "physical maximum": 8,
    "digital minimum": 8, "digital maximum": 8, "prefilter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip
BLOCK = 256
# By the version field: bytes a sample, and how the file's name must end, which is all that MNE
# goes by.
FORMATS = {b"0": (2, ".edf"), b"\xffBIOSEMI": (3, ".bdf")}
# The fields that count something, with the least and the most that they may say. A recording that
# was never closed says -1 records.
COUNTS = {
    "signals": (0, 9999), "header bytes": (0, 10_000 * BLOCK), "records": (-1, 10**8),
    "samples": (0, 10**8),
}  # fmt: skip
RECORD_S = (1e-4, 86_400.0)  # shortest and longest record that may be meant
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
# How programs spell voltages: the micro as u, as the micro sign, as the Greek letter, or as that in
# Shift JIS, which reads so in Latin-1.
VOLTS = {
    **{micro + volt: "uV" for micro in ("u", "µ", "μ", "\x83\xca") for volt in "Vv"},
    "mV": "mV", "mv": "mV", "V": "V", "v": "V",
}  # fmt: skip
NO_DATE = "01.01.85"  # the first date of the format, written where the true one is withheld
AGAIN = "Copy or export it again, or take it out of the folder"


@dataclass(frozen=True)
class EdfSignal:
    """One ordinary signal: its label as MNE spells it, its unit, its rate, its range of values.

    `unit` is uV, mV or V for a voltage, however the file spells it, and as it stands for anything
    else; `written_unit` is how MNE reads it.
    """

    label: str
    unit: str
    written_unit: str
    sfreq: float
    physical: tuple[float, float]
    digital: tuple[float, float]


@dataclass(frozen=True)
class EdfHeader:
    """The ordinary signals of a file, and how long they last from `start` on.

    `start` is ``None`` where the file withholds its date. A file of annotations alone has no
    signals and lasts 0 s.
    """

    start: datetime | None
    duration_s: float
    signals: tuple[EdfSignal, ...]
    has_annotations: bool

    @property
    def labels(self) -> list[str]:
        """The labels of the ordinary signals, in the file's order."""
        return [signal.label for signal in self.signals]


def read_header(path: Path) -> EdfHeader:
    """Read the header of an EDF, EDF+ or BDF file.

    Raises `UserError` when the file is missing, empty, not readable, of another format than its
    name says, cut short, discontinuous (EDF+D), or when its header cannot be true.
    """
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file.") from error
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}). Check that it is a file and that you may "
            "read it."
        ) from error


def _read(path: Path, file: BinaryIO) -> EdfHeader:
    size = os.fstat(file.fileno()).st_size
    fields = _fields(file.read(BLOCK), FILE_FIELDS, 1)
    if not size:
        raise UserError(f"{path}: is empty (0 bytes). {AGAIN}.")
    width = _sample_bytes(path, fields["version"][0])
    if size < BLOCK:
        raise UserError(f"{path}: is cut short within its header ({size} bytes). {AGAIN}.")
    count = _count(path, "signals", fields["signals"][0])
    header_bytes = _count(path, "header bytes", fields["header bytes"][0])
    if count < 1 or header_bytes != BLOCK * (count + 1):
        raise UserError(f"{path}: its header contradicts itself ({count} signals). {AGAIN}.")
    if size < BLOCK * (count + 1):
        raise UserError(f"{path}: is cut short within its header ({size} bytes). {AGAIN}.")
    if fields["reserved"][0][3:5] == b"+D":
        raise UserError(
            f"{path}: is discontinuous (EDF+D), so that its samples do not tell their time. "
            "Export it as continuous EDF or EDF+C."
        )
    columns = _fields(file.read(BLOCK * count), SIGNAL_FIELDS, count)
    record_s = _number(path, "record duration", fields["record duration"][0])
    samples = [_count(path, "samples", text) for text in columns["samples"]]
    records = _count(path, "records", fields["records"][0])
    held = (size - header_bytes) // max(1, width * sum(samples))
    if records > held:
        raise UserError(
            f"{path}: is cut short: its header promises {records} records of {record_s:g} s, the "
            f"file holds {held}. {AGAIN}."
        )
    signals = _signals(path, columns, samples, record_s)
    if signals and not held:
        raise UserError(f"{path}: is empty: it holds a header and no record. {AGAIN}.")
    return EdfHeader(
        start=_start(fields),
        # Of a recorder that was not stopped in order the header counts none, or too few.
        duration_s=record_s * held,
        signals=signals,
        has_annotations=len(signals) < count,
    )


def _sample_bytes(path: Path, version: bytes) -> int:
    if version not in FORMATS:
        raise UserError(f"{path}: is not an EDF, EDF+ or BDF file. {AGAIN}.")
    width, ending = FORMATS[version]
    if path.suffix.lower() != ending:
        raise UserError(
            f"{path}: is {ending.strip('.').upper()} inside, but its name ends in "
            f"{path.suffix or 'nothing'!r}. Rename to {path.with_suffix(ending).name}."
        )
    return width


def _fields(block: bytes, widths: dict[str, int], count: int) -> dict[str, list[bytes]]:
    fields, place = {}, 0
    for name, width in widths.items():
        starts = range(place, place + width * count, width)
        fields[name] = [block[start : start + width].strip() for start in starts]
        place += width * count
    return fields


def _signals(
    path: Path, columns: dict[str, list[bytes]], samples: list[int], record_s: float
) -> tuple[EdfSignal, ...]:
    def limits(kind: str, place: int) -> tuple[float, float]:
        low, high = f"{kind} minimum", f"{kind} maximum"
        return _number(path, low, columns[low][place]), _number(path, high, columns[high][place])

    labels = [label.decode("latin1").strip() for label in columns["label"]]
    ordinary = [place for place, label in enumerate(labels) if label not in ANNOTATIONS]
    if ordinary and not RECORD_S[0] <= record_s <= RECORD_S[1]:
        raise UserError(f"{path}: its header gives records of {record_s:g} s. {AGAIN}.")
    return tuple(
        EdfSignal(
            label=labels[place],
            unit=_unit(columns["unit"][place]),
            written_unit=columns["unit"][place].decode("latin1"),
            sfreq=samples[place] / record_s,
            physical=limits("physical", place),
            digital=limits("digital", place),
        )
        for place in ordinary
    )


def _number(path: Path, field: str, text: bytes) -> float:
    try:
        value = float(text.partition(b"\0")[0].replace(b",", b"."))  # some write decimal commas
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _damaged(path, field, text, "not a number")
    return value


def _count(path: Path, field: str, text: bytes) -> int:
    value = _number(path, field, text)
    least, most = COUNTS[field]
    if not (value.is_integer() and least <= value <= most):
        raise _damaged(path, field, text, f"not a whole number from {least} to {most}")
    return int(value)


def _damaged(path: Path, field: str, text: bytes, problem: str) -> UserError:
    said = text.decode("latin1")
    return UserError(
        f"{path}: its header is damaged: the field '{field}' is {said!r}, {problem}. {AGAIN}."
    )


def _unit(text: bytes) -> str:
    try:
        unit = text.decode("utf-8")  # against the format, but there are such files
    except UnicodeDecodeError:
        unit = text.decode("latin1")
    return VOLTS.get(unit.strip(PADDING), unit)


def _start(fields: dict[str, list[bytes]]) -> datetime | None:
    date, time = (fields[name][0].decode("latin1") for name in ("date", "time"))
    if date == NO_DATE or fields["recording"][0].startswith(b"Startdate X"):
        return None
    try:
        day, month, year = map(int, date.split("."))
        hour, minute, second = map(int, time.split("."))
        return datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
    except ValueError:  # not a date: the file is still of use, it only cannot be dated
        return None
