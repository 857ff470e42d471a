"""The three files of a store, how they are written and how it is told that they belong together.

| file | holds |
|---|---|
| ``epochs.npy`` | float32 (epoch, channel, time), all recordings one after the other |
| ``index.parquet`` | a row an epoch: subject, night, position, stage, quality, recording |
| ``manifest.json`` | format version, hashes, how it was prepared, an entry a recording |
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from sleepsweep.data.atomic import PARTIAL
from sleepsweep.data.folders import describe_folder
from sleepsweep.data.manifest import Manifest, RecordingEntry
from sleepsweep.data.recording import Prepared
from sleepsweep.errors import UserError
from sleepsweep.replacing import writing

if TYPE_CHECKING:
    import pandas as pd

FORMAT_VERSION = 3  # part of a store's key: raise it too when the same recordings give other files
EPOCHS, INDEX, MANIFEST = "epochs.npy", "index.parquet", "manifest.json"
LABELS = {"subject": "category", "night": "int32", "position": "int32", "stage": "int8"}
INDEX_COLUMNS = LABELS | {"quality": "float32", "recording": "int32"}
# How a manifest of ours begins, whatever its format version, and whatever became of the rest.
OURS = re.compile(r'\s*\{\s*"format_version":\s*\d+,\s*"key":\s*"')
SAMPLED_EPOCHS = 32
BLOCK_BYTES = 1 << 22  # read at once when all of a store is verified

EpochsFile = np.memmap[Any, np.dtype[np.float32]]


def holds_store(folder: Path) -> bool:
    """Whether `folder` is a store, whole or damaged: it has a manifest that is one of ours."""
    return _manifest_text(folder) is not None


def write_store(
    folder: Path, recordings: Iterable[Prepared], preprocessing: dict[str, Any], key: str
) -> None:
    """Write the files into an existing empty `folder`, holding one recording at a time.

    Raises `UserError` when a recording's shape differs from the first one's, there is none, or the
    files cannot be written.
    """
    entries, index = _write_epochs(folder / EPOCHS, recordings)
    with writing(folder.parent):
        index.to_parquet(folder / INDEX, index=False)
        epochs = np.load(folder / EPOCHS, mmap_mode="r")
        contents = [epochs.shape, [e.epochs_hash for e in entries], _hash_columns(index, LABELS)]
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            key=key,
            data_hash=_hash([json.dumps(contents).encode()]),
            index_hash=_hash_columns(index, INDEX_COLUMNS),
            sample_hash=_hash_sample(epochs),
            shape=epochs.shape,
            sfreq=entries[0].sfreq,
            channels=_joined_channels(entries),
            unit="|".join(sorted({entry.unit for entry in entries})),
            preprocessing=preprocessing,
            recordings=tuple(entries),
        )
        text = manifest.sealed().model_dump_json(indent=1)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_store(folder: Path) -> tuple[Manifest, "pd.DataFrame", EpochsFile]:
    """Return manifest, index and the epochs, memory-mapped read-only.

    Raises `UserError` when the folder is no store, a file is missing, damaged or not readable, the
    format version is another one, or the files do not belong together. Of the epochs a sample is
    read; `verify_epochs` reads all.
    """
    import pandas as pd  # takes time

    if not folder.is_dir():
        raise UserError(f"{folder}: no such store. Prepare the data again.")
    if folder.name.startswith(PARTIAL):
        raise UserError(
            f"{folder}: a store that is still being written, or never was finished. Prepare the "
            "data again; what an interrupted preparation left is removed then."
        )
    text = _manifest_text(folder)
    if text is None:
        raise _no_store(folder)
    try:
        manifest = _read_manifest(folder, text)
        index = pd.read_parquet(folder / INDEX, columns=list(INDEX_COLUMNS)).astype(INDEX_COLUMNS)
        epochs = np.load(folder / EPOCHS, mmap_mode="r", allow_pickle=False)
        problem = _mismatch(folder, manifest, index, epochs)
    except PermissionError as error:
        raise _closed(folder, error) from error
    except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
        raise _damaged(folder, str(error).partition("\n")[0]) from error
    if problem:
        raise _damaged(folder, problem)
    return manifest, index, epochs


def verify_epochs(folder: Path, manifest: Manifest, epochs: EpochsFile) -> None:
    """Read all epochs, a block at a time, against the hash of each recording.

    Raises `UserError` that names the recordings whose epochs are not those that were written.
    """
    row_bytes = epochs[:1].nbytes
    wrong, row = [], 0
    with (folder / EPOCHS).open("rb") as file:
        file.seek(epochs.offset)
        for entry in manifest.recordings:
            if _hash(_blocks(file, entry.kept * row_bytes)) != entry.epochs_hash:
                rows = f"rows {row} to {row + entry.kept - 1}"
                wrong.append(f"{entry.subject} night {entry.night} ({rows}, from {entry.source})")
            row += entry.kept
    if wrong:
        raise _damaged(folder, f"{EPOCHS} has changed in {'; '.join(wrong)}")


def _write_epochs(
    path: Path, recordings: Iterable[Prepared]
) -> tuple[list[RecordingEntry], "pd.DataFrame"]:
    import pandas as pd

    entries: list[RecordingEntry] = []
    frames: list[pd.DataFrame] = []
    shape: tuple[int, ...] = ()
    for prepared in recordings:
        epochs = np.ascontiguousarray(prepared.recording.epochs, dtype="<f4")
        shape = shape or epochs.shape[1:]
        _same_shape(prepared, shape)
        # Only the writing is guarded: an error of reading the recordings is none of a full disk.
        with writing(path.parent.parent), path.open("ab") as file:
            if not frames:
                _write_header(file, 0, shape)
            file.write(epochs.data)
        frames.append(_index_rows(prepared, number=len(frames)))
        entries.append(RecordingEntry.of(prepared, _hash([epochs.data])))
        del prepared, epochs  # or they would stay while the next recording is read
    if not frames:
        raise UserError("No recording was found, so there is nothing to prepare.")
    with writing(path.parent.parent), path.open("r+b") as file:
        _write_header(file, sum(map(len, frames)), shape)
        file.flush()
        os.fsync(file.fileno())  # or a crash could leave a store that is whole but for its content
    return entries, pd.concat(frames, ignore_index=True).astype(INDEX_COLUMNS)


def _manifest_text(folder: Path) -> str | None:
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, UnicodeDecodeError):
        return None
    except OSError as error:
        raise _closed(folder, error) from error
    return text if OURS.match(text) else None


def _no_store(folder: Path) -> UserError:
    return UserError(
        f"{folder}: is not a store: it has no {MANIFEST} that sleepsweep wrote (found: "
        f"{describe_folder(folder)}). `sleepsweep data import` makes a store of recordings. If one "
        "should be here, move this folder away and prepare the data again."
    )


def _closed(folder: Path, error: OSError) -> UserError:
    return UserError(
        f"{folder}: the store may not be read ({error}). Ask its owner for the permission, or "
        "prepare the data in a folder of your own."
    )


def _read_manifest(folder: Path, text: str) -> Manifest:
    version = json.loads(text)["format_version"]
    if version != FORMAT_VERSION:
        raise UserError(
            f"{folder}: written with store format {version}, this sleepsweep reads format "
            f"{FORMAT_VERSION}. Delete the folder and prepare the data again."
        )
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _damaged(folder, f"{MANIFEST}, {where}: {first['msg']}") from error


def _mismatch(folder: Path, manifest: Manifest, index: "pd.DataFrame", epochs: EpochsFile) -> str:
    if manifest.sealed() != manifest:
        return f"{MANIFEST} was changed"
    if epochs.shape != manifest.shape or epochs.dtype != np.float32:
        return f"{EPOCHS} has shape {epochs.shape}, {MANIFEST} says {manifest.shape}"
    if (folder / EPOCHS).stat().st_size != epochs.offset + epochs.nbytes:
        return f"{EPOCHS} is longer than its header says"
    if len(index) != len(epochs) or sum(e.kept for e in manifest.recordings) != len(epochs):
        return f"{INDEX} has {len(index)} rows for {len(epochs)} epochs"
    if _hash_columns(index, INDEX_COLUMNS) != manifest.index_hash:
        return f"{INDEX} belongs to other data than {MANIFEST}"
    if _hash_sample(epochs) != manifest.sample_hash:
        return f"{EPOCHS} belongs to other data than {MANIFEST}"
    return ""


def _damaged(folder: Path, problem: str) -> UserError:
    # Only of a folder that is a store of ours: the message has it deleted.
    return UserError(
        f"{folder}: damaged store ({problem}). Delete this folder and prepare the data again."
    )


def _hash_columns(index: "pd.DataFrame", columns: Iterable[str]) -> str:
    # Names are hashed once and not once an epoch: opening a store must stay quick.
    subjects = index["subject"].cat
    parts: list[Any] = ["\x1f".join(subjects.categories).encode()]
    parts.append(subjects.codes.to_numpy().astype("<i4"))
    parts += [index[column].to_numpy() for column in columns if column != "subject"]
    return _hash(parts)


def _hash_sample(epochs: NDArray[np.float32]) -> str:
    # 32 epochs spread over the store: cheap, and another file's epochs give another hash.
    places = np.linspace(0, len(epochs) - 1, SAMPLED_EPOCHS).astype(np.int64)
    return _hash([np.ascontiguousarray(epochs[places]).data])


def _hash(parts: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:32]


def _blocks(file: BinaryIO, count: int) -> Iterator[bytes]:
    for start in range(0, count, BLOCK_BYTES):
        yield file.read(min(BLOCK_BYTES, count - start))


def _write_header(file: BinaryIO, count: int, shape: tuple[int, ...]) -> None:
    # NumPy pads the header so that the first axis may grow in place; only this lets the number of
    # epochs be known after the last recording.
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(file, header)


def _same_shape(prepared: Prepared, shape: tuple[int, ...]) -> None:
    found = prepared.recording.epochs.shape[1:]
    if found != shape:
        raise UserError(
            f"{prepared.recording.source}: epochs of (channel, time) = {found}, the recordings "
            f"before have {shape}. Take the file out of the folder."
        )


def _index_rows(prepared: Prepared, number: int) -> "pd.DataFrame":
    import pandas as pd

    recording = prepared.recording
    return pd.DataFrame(
        {
            "subject": recording.subject,
            "night": recording.night,
            "position": recording.positions,
            "stage": recording.stages,
            "quality": prepared.quality,
            "recording": number,
        }
    )


def _joined_channels(entries: Sequence[RecordingEntry]) -> tuple[str, ...]:
    # Files of one folder may name their one derivation differently; nothing is hidden about it.
    names = zip(*(entry.channels for entry in entries), strict=True)
    return tuple("|".join(sorted(set(channel))) for channel in names)
