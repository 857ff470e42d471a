"""The three files of a store, how they are written and how it is told that they belong together.

| file | holds |
|---|---|
| ``epochs.npy`` | float32 (epoch, channel, time), all recordings one after the other |
| ``index.parquet`` | a row an epoch: subject, night, position, stage, recording |
| ``manifest.json`` | format version, hashes, how it was prepared, an entry a recording |
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.data.recording import Prepared
from sleepsweep.errors import UserError

FORMAT_VERSION = 1
EPOCHS, INDEX, MANIFEST = "epochs.npy", "index.parquet", "manifest.json"
INDEX_COLUMNS = {
    "subject": "str", "night": "int32", "position": "int32", "stage": "int8", "recording": "int32"
}  # fmt: skip
SAMPLED_EPOCHS = 32


def write_store(folder: Path, recordings: Iterable[Prepared], preprocessing: Any) -> None:
    """Write the files into an existing empty `folder`, holding one recording at a time.

    Raises `UserError` when a recording's shape differs from the first one's, or there is none.
    """
    entries: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    digest = hashlib.sha256()
    shape: tuple[int, ...] = ()
    with (folder / EPOCHS).open("wb") as file:
        for prepared in recordings:
            epochs = np.ascontiguousarray(prepared.recording.epochs, dtype="<f4")
            if not shape:
                shape = epochs.shape[1:]
                _write_header(file, 0, shape)
            _same_shape(prepared, shape)
            file.write(epochs.data)
            digest.update(epochs.data)
            frames.append(_index_rows(prepared, number=len(frames)))
            entries.append(_entry(prepared))
            del prepared, epochs  # or they would stay while the next recording is read
        if not shape:
            raise UserError("No recording was found, so there is nothing to prepare.")
        file.seek(0)
        _write_header(file, sum(map(len, frames)), shape)
    index = pd.concat(frames, ignore_index=True)
    index.to_parquet(folder / INDEX, index=False)
    digest.update(hash_labels(index).encode())
    manifest = {
        "format_version": FORMAT_VERSION,
        "data_hash": digest.hexdigest()[:32],
        "labels_hash": hash_labels(index),
        "sample_hash": hash_sample(np.load(folder / EPOCHS, mmap_mode="r")),
        "shape": [len(index), *shape],
        **_description(entries),
        "preprocessing": preprocessing,
        "recordings": entries,
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_store(folder: Path) -> tuple[dict[str, Any], pd.DataFrame, NDArray[np.float32]]:
    """Return manifest, index and the epochs, memory-mapped read-only.

    Raises `UserError` when a file is missing or damaged, the format version is another one, or
    the files do not belong together.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such store. Prepare the data again.")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format_version"]
        if version != FORMAT_VERSION:
            raise UserError(
                f"{folder}: written with store format {version}, this sleepsweep reads format "
                f"{FORMAT_VERSION}. Delete the folder and prepare the data again."
            )
        index = pd.read_parquet(folder / INDEX, columns=list(INDEX_COLUMNS))
        epochs = np.load(folder / EPOCHS, mmap_mode="r", allow_pickle=False)
        problem = _mismatch(manifest, index, epochs)
    except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
        raise _damaged(folder, str(error)) from error
    if problem:
        raise _damaged(folder, problem)
    return manifest, index, epochs


def hash_labels(index: pd.DataFrame) -> str:
    """Hash who slept what: subjects, nights, positions and stages, in order."""
    digest = hashlib.sha256("\x1f".join(index["subject"]).encode())
    for column in ("night", "position", "stage"):
        digest.update(index[column].to_numpy().astype("<i4").tobytes())
    return digest.hexdigest()[:32]


def hash_sample(epochs: NDArray[np.float32]) -> str:
    """Hash 32 epochs spread over the store: cheap, and another file's epochs give another hash."""
    places = np.linspace(0, len(epochs) - 1, SAMPLED_EPOCHS).astype(np.int64)
    return hashlib.sha256(np.ascontiguousarray(epochs[places]).data).hexdigest()[:32]


def _mismatch(manifest: dict[str, Any], index: pd.DataFrame, epochs: NDArray[np.float32]) -> str:
    if list(epochs.shape) != manifest["shape"] or epochs.dtype != np.float32:
        return f"{EPOCHS} has shape {epochs.shape}, {MANIFEST} says {tuple(manifest['shape'])}"
    if len(index) != len(epochs):
        return f"{INDEX} has {len(index)} rows for {len(epochs)} epochs"
    if hash_labels(index) != manifest["labels_hash"]:
        return f"{INDEX} belongs to other data than {MANIFEST}"
    if hash_sample(epochs) != manifest["sample_hash"]:
        return f"{EPOCHS} belongs to other data than {MANIFEST}"
    return ""


def _damaged(folder: Path, problem: str) -> UserError:
    return UserError(
        f"{folder}: damaged store ({problem}). Delete this folder; it is prepared again when it is "
        "next needed."
    )


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


def _index_rows(prepared: Prepared, number: int) -> pd.DataFrame:
    recording = prepared.recording
    return pd.DataFrame(
        {
            "subject": recording.subject,
            "night": recording.night,
            "position": recording.positions,
            "stage": recording.stages,
            "recording": number,
        }
    ).astype(INDEX_COLUMNS)


def _entry(prepared: Prepared) -> dict[str, Any]:
    recording = prepared.recording
    return {
        "subject": recording.subject,
        "night": recording.night,
        "source": recording.source,
        "sfreq": recording.sfreq,
        "channels": list(recording.channels),
        "unit": recording.unit,
        "centre": prepared.centre.tolist(),
        "scale": prepared.scale.tolist(),
        "spread": prepared.spread.tolist(),
        "kept": len(recording.epochs),
        "dropped": prepared.dropped.by_reason(),
    }


def _description(entries: list[dict[str, Any]]) -> dict[str, Any]:
    # Files of one folder may name their one derivation differently; nothing is hidden about it.
    names = zip(*(entry["channels"] for entry in entries), strict=True)
    return {
        "sfreq": entries[0]["sfreq"],
        "channels": ["|".join(sorted(set(channel))) for channel in names],
        "unit": "|".join(sorted({entry["unit"] for entry in entries})),
    }
