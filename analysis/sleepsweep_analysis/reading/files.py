"""Reads results: of a sweep, and tables of results from anywhere (CSV or parquet).

What a table from elsewhere does not say is assumed, and said in `ResultsTable.notes`; columns that
are not documented are kept out and named in `ResultsTable.unread`.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sleepsweep.results import ResultsTable, TableError
from sleepsweep_analysis.reading.cells import Cells
from sleepsweep_analysis.reading.columns import COLUMNS, PREFIXED
from sleepsweep_analysis.reading.foreign import of_cells

__all__ = ["load"]

PARQUET = b"PAR1"
OURS = b"sleepsweep"


def load(source: Path | str, *, categories: Mapping[str, str] | None = None) -> ResultsTable:
    """Read the results of a sweep, or a table of results from anywhere.

    `source` is a sweep's folder, its ``trials.parquet`` (under any name, with or without
    ``subjects.parquet`` beside it), or a CSV (UTF-8, comma) or parquet file with the columns of
    `sleepsweep_analysis.reading.columns`. `categories` gives the category of augmentations by
    name, of which a sweep has its own already; otherwise the ``group`` of rows in which one stands
    alone tells it. Raises `TableError` where the table cannot be read: it names the file, the row,
    the column and what is allowed.
    """
    path = Path(source)
    if path.is_dir():
        return ResultsTable.read(path)
    if not path.is_file():
        raise TableError(
            f"{path}: no such file or folder. Give a sweep's folder, or a CSV or parquet file."
        )
    with _opened(path) as handle:
        is_parquet = handle.read(len(PARQUET)) == PARQUET
    frame = _parquet(path) if is_parquet else _csv(path)
    if frame is None:
        return ResultsTable.read(path)
    _check(frame, path)
    return of_cells(Cells(frame, path), categories or {})


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}).") from error


def _parquet(path: Path) -> pd.DataFrame | None:
    """The cells of a parquet file as text; None where it is one that sleepsweep has written."""
    try:
        if OURS in (pq.read_schema(path).metadata or {}):
            return None
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{path}: not a parquet file ({error}).") from error
    twice = {name for name in table.column_names if table.column_names.count(name) > 1}
    if twice:
        raise TableError(f"{path}: has columns twice: {', '.join(sorted(twice))}.")
    columns = {
        name: [_text(cell) for cell in table[name].to_pylist()] for name in table.column_names
    }
    return pd.DataFrame(columns, dtype=str)


def _text(cell: Any) -> str:
    """`cell` as a CSV has it: nothing for null and NaN, 42 for what a null beside it made 42.0."""
    if cell is None or cell != cell:
        return ""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()


def _csv(path: Path) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
            )
    except UnicodeDecodeError as error:
        raise TableError(
            f"{path}: not text in UTF-8 ({error.reason}). Save it as UTF-8."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise TableError(f"{path}: is empty. {_expected()}") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise TableError(f"{path}: not a table of comma-separated values ({reason}).") from error
    frame = frame.fillna("")
    frame.columns = [str(name).strip() for name in frame.columns]
    return pd.DataFrame({name: column.str.strip() for name, column in frame.items()})


def _check(frame: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in frame]
    missing = [] if "macro_f1" in names else ["macro_f1"]
    switches = any(name.startswith("on.") for name in names)
    if "augmentations" not in names and not switches:
        missing.append("augmentations (or on.NAME)")
    if missing:
        found = ", ".join(names[:12]) or "none"
        raise TableError(
            f"{path}: columns missing: {', '.join(missing)}. {_expected()} Columns found: {found}."
        )
    if "augmentations" in names and switches:
        raise TableError(f"{path}: has both augmentations and on.NAME columns; give one of them.")
    if "trial" not in names and {"rung", "step"} & set(names) and _repeats(frame):
        raise TableError(f"{path}: has several rungs and no column trial to tell whose they are.")
    if frame.empty:
        raise TableError(f"{path}: has a header and no rows, so there is nothing to analyse.")


def _repeats(frame: pd.DataFrame) -> bool:
    key = "rung" if "rung" in frame else "step"
    return bool(frame[key].nunique() > 1)


def _expected() -> str:
    optional = [name for name in COLUMNS if name not in ("macro_f1", "augmentations")]
    named = ", ".join([*optional, *(f"{prefix}NAME" for prefix in PREFIXED)])
    return (
        "A table of results needs a header with macro_f1 (0–1, or points) and the policy, as "
        f"augmentations (A+B+C; none) or as on.NAME columns; it may have {named}."
    )
