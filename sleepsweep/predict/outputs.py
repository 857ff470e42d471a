"""The files that a prediction is written to: a table, EDF+ annotations, a page, a picture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.writing import AASM_LABELS, write_hypnogram
from sleepsweep.errors import UserError
from sleepsweep.predict.images import write_image
from sleepsweep.predict.page import write_page
from sleepsweep.predict.report import NightReport
from sleepsweep.replacing import replacing, writing

DECIMALS = 6


def write_table(report: NightReport, path: Path) -> None:
    """Write a row an epoch as CSV: see `Prediction.table`; what is not known is empty."""
    with writing(path), replacing(path) as partial:
        report.prediction.table().round(DECIMALS).to_csv(partial, index=False)


def write_annotations(report: NightReport, path: Path) -> None:
    """Write the stages as EDF+ annotations by their standard texts, one a run of epochs."""
    night = report.prediction.night
    write_hypnogram(
        path, report.prediction.stages, night.epoch_s, night.start, AASM_LABELS, night.first_s
    )


WRITERS: dict[str, Callable[[NightReport, Path], None]] = {
    ".csv": write_table, ".edf": write_annotations, ".html": write_page, ".png": write_image,
}  # fmt: skip
"""What is written, by the ending of the file's name. Each file is whole or not there."""

Outputs = Mapping[Path, Sequence[Path]]


def outputs_for(
    nights: Sequence[Path], root: Path, out: Sequence[Path], inputs: Sequence[Path] = ()
) -> Outputs:
    """Return the files to write of each of the `nights`, which lie in or are `root`.

    A path of `out` is a file, whose ending is one of `WRITERS`, or a folder for all four, named as
    the night: ``NIGHT.hypnogram.csv`` and so on, in the folders in which the nights lie. Of several
    nights there are folders only.

    Raises `UserError` for another ending, two nights of one name, and a file that is one of the
    `inputs`, or a recording.
    """
    found: dict[Path, list[Path]] = {night: [] for night in nights}
    for place in out:
        if place.suffix.lower() not in WRITERS or place.is_dir():
            _check_folder(place)
            for night in nights:
                below = night.relative_to(root).parent if root.is_dir() else Path()
                stem = place / below / night.stem
                found[night] += [Path(f"{stem}.hypnogram{ending}") for ending in WRITERS]
        elif root.is_dir():
            raise UserError(f"{place}: is one file, but {root} is a folder. Give a folder.")
        else:
            found[nights[0]].append(place)
    every = [file for files in found.values() for file in files]
    read = {path.resolve() for path in inputs}
    for file in every:
        if file.resolve() in read:
            raise UserError(f"{file}: is read, and must not be written over. Give another name.")
        _check_free(file, every)
    return found


def write_outputs(report: NightReport, files: Sequence[Path]) -> None:
    """Write a report to files, each by its ending. Raises `UserError` where one cannot be."""
    for file in files:
        WRITERS[file.suffix.lower()](report, file)


def _check_folder(place: Path) -> None:
    if place.suffix and not place.is_dir():
        raise UserError(
            f"{place}: what is to be written? The ending says it: {', '.join(WRITERS)}; without "
            "one it is a folder for all of them."
        )
    if place.exists() and not place.is_dir():
        raise UserError(f"{place}: is a file, and no ending tells its kind. Give a folder.")


def _check_free(file: Path, every: Sequence[Path]) -> None:
    if every.count(file) > 1:
        raise UserError(
            f"{file}: would be written twice. Give every file, and night, its own name."
        )
    if file.suffix.lower() != ".edf" or not file.exists():
        return
    try:
        recorded = bool(read_header(file).signals)
    except UserError:
        recorded = True
    if recorded:
        raise UserError(
            f"{file}: exists and is no hypnogram; a recording is never written over. Give another "
            "name."
        )
