"""A folder of npz files, one a recording: the exchange form of the DeepSleepNet family.

Nothing is ever unpickled. A file that cannot be used is refused with the file, the key, what is
allowed and what to do.
"""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.folders import check_folder, describe_folder
from sleepsweep.data.names import bare_label, person_of
from sleepsweep.data.recording import Epochs, Recording
from sleepsweep.errors import UserError

Array = NDArray[Any]

LAYOUT = (
    "x (n, fs·epoch_s) or (n, fs·epoch_s, 1), y (n,) with 0 W, 1 N1, 2 N2, 3 N3, 4 R and negative "
    "for unscored, fs in Hz, ch_label, and optionally epoch (n,), the positions in the night, "
    "subject and night"
)
KEYS = ("x", "y", "fs", "ch_label", "epoch", "subject", "night")
SAVE = "np.savez(path, x=x, y=y, fs=fs, ch_label=ch_label)"
MOST_POSITION = np.iinfo(np.int32).max
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, MemoryError)


@dataclass(frozen=True)
class NpzSource:
    """The recordings of a folder of npz files, read one at a time.

    Where a `derivation` is given, a file of another one is refused.
    """

    root: Path
    epoch_s: float
    derivation: str | None = None

    def __len__(self) -> int:
        return len(npz_files(self.root))

    def recordings(self) -> Iterator[Recording]:
        """Yield each file's recording, in the order of their names."""
        for path in npz_files(self.root):
            recording = read_npz(path, self.epoch_s)
            held = recording.channels[0]
            if self.derivation is not None and bare_label(held) != bare_label(self.derivation):
                raise UserError(
                    f"{path}: holds the derivation {held!r}, but data.derivations asks for "
                    f"{self.derivation!r}. Leave derivations out to take what the files hold."
                )
            yield recording

    def fingerprint(self) -> dict[str, Any]:
        """What tells one state of the folder from another: names, sizes, modification times."""
        states = [(path.name, path.stat()) for path in npz_files(self.root)]
        files = [[name, state.st_size, state.st_mtime_ns] for name, state in states]
        return {"root": str(self.root.resolve()), "files": files}


def holds_npz(folder: Path) -> bool:
    """Whether `folder` is a folder with npz files directly inside."""
    return folder.is_dir() and any(_visible(folder, ".npz"))


def npz_files(folder: Path) -> list[Path]:
    """Return the npz files of `folder` by name; hidden files are none.

    Raises `UserError` when the folder is missing or holds no npz file.
    """
    check_folder(folder)
    found = sorted(_visible(folder, ".npz"))
    if not found:
        raise UserError(_nothing_to_read(folder))
    return found


def read_npz(path: Path, epoch_s: float) -> Recording:
    """Read one npz file with epochs of `epoch_s` seconds, of one derivation in unknown units.

    Subject and night come from the file, or from its name where that tells (`person_of`); else the
    stem is the subject, night 1. Raises `UserError` for a file that cannot be used as a whole;
    single bad epochs are left for `drop_unusable`.
    """
    arrays = _load(path)
    epochs = _epochs(path, arrays["x"])
    count, _, samples = epochs.shape
    sfreq = _sfreq(path, arrays["fs"])
    if not np.isclose(samples, sfreq * epoch_s):
        expected = f"fs · epoch_s = {sfreq:g} Hz · {epoch_s:g} s = {sfreq * epoch_s:g}"
        _refuse(
            path,
            "x",
            f"has epochs of {samples} samples, but {expected}",
            "mend x or fs, or epoch_s",
        )
    subject, night = _person(path, arrays.get("subject"), arrays.get("night"))
    return Recording(
        subject=subject,
        night=night,
        epochs=epochs,
        stages=_stages(path, arrays["y"], count),
        positions=_positions(path, arrays.get("epoch"), count),
        sfreq=sfreq,
        channels=(_label(path, arrays.get("ch_label")),),
        unit="unknown",
        source=str(path),
    )


def _visible(folder: Path, *endings: str) -> Iterator[Path]:
    # Copies from other systems leave companions such as ._SC4001E0.npz, which are no recordings.
    entries = (entry for entry in folder.iterdir() if not entry.name.startswith("."))
    return (entry for entry in entries if entry.suffix.lower() in endings and entry.is_file())


def _nothing_to_read(folder: Path) -> str:
    found = f"{folder}: no npz file in this folder (found: {describe_folder(folder)})."
    if any(_visible(folder, ".pkl", ".pickle")):
        return (
            f"{found} Pickles are refused, because loading one can run any code. In an environment "
            f"you trust, load each and write it again as npz: {SAVE}, with {LAYOUT}."
        )
    return f"{found} Write one npz file a recording: {SAVE}, with {LAYOUT}."


def _load(path: Path) -> dict[str, Array]:
    # Only the known keys are touched: others (DeepSleepNet's headers) may well be pickled objects.
    if not zipfile.is_zipfile(path):
        why = (
            "no such file"
            if not path.exists()
            else "not an npz (zip) file, cut short, or not readable"
        )
        raise UserError(f"{path}: {why}. Write it with {SAVE}, or take it out of the folder.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [key for key in ("x", "y", "fs") if key not in archive.files]
            if missing:
                found = ", ".join(sorted(archive.files)) or "nothing"
                _refuse(path, missing[0], f"missing (the file holds: {found})", "write it too")
            wanted = [key for key in KEYS if key in archive.files]
            return {key: _member(path, archive, key) for key in wanted}
    except DAMAGE as error:
        raise UserError(f"{path}: damaged ({error}). Copy or write it again.") from error


def _member(path: Path, archive: Any, key: str) -> Array:
    try:
        member = archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            _refuse(path, key, f"cannot be read ({error})", "write the file again")
        _refuse(
            path, key, "holds pickled objects, which are refused because loading them can run code",
            "write plain arrays of numbers, in an environment you trust",
        )  # fmt: skip
    if not isinstance(member, np.ndarray):
        _refuse(path, key, "is not a NumPy array", "write the file again")
    return member


def _epochs(path: Path, x: Array) -> Epochs:
    if x.dtype.kind not in "fiu":
        _refuse(path, "x", f"has dtype {x.dtype}", "write real numbers (float or integer)")
    if x.ndim not in (2, 3) or (x.ndim == 3 and x.shape[2] != 1):
        _refuse(path, "x", f"has shape {x.shape}", "write one derivation, an epoch a row")
    if not x.size:
        _refuse(path, "x", f"holds no epoch (shape {x.shape})", "take the file out of the folder")
    with np.errstate(over="ignore"):  # beyond float32 becomes inf, and is dropped as not finite
        epochs = x.reshape(len(x), 1, -1).astype(np.float32)
    if not np.isfinite(epochs).all(axis=(1, 2)).any():
        _refuse(path, "x", "has NaN or infinity in every epoch", "write finite samples")
    return epochs


def _sfreq(path: Path, fs: Array) -> float:
    if fs.size != 1 or fs.dtype.kind not in "fiu" or not (np.isfinite(fs).all() and fs.item() > 0):
        _refuse(path, "fs", f"is {fs!r}", "write one positive number, the sampling rate in Hz")
    return float(fs.item())


def _stages(path: Path, y: Array, count: int) -> NDArray[np.int8]:
    if y.shape != (count,):
        _refuse(path, "y", f"has shape {y.shape}, x has {count} epochs", "write a stage an epoch")
    if y.dtype.kind not in "fiu" or not np.isfinite(y).all() or (y != np.trunc(y)).any():
        _refuse(path, "y", f"is not whole numbers (dtype {y.dtype})", "write whole numbers")
    if y.max() > 4:
        _refuse(
            path, "y", f"holds stage {y.max():g}", "map every stage to 0–4 or a negative number"
        )
    return np.where(y < 0, -1, y).astype(np.int8)


def _positions(path: Path, epoch: Array | None, count: int) -> NDArray[np.int32]:
    if epoch is None:
        return np.arange(count, dtype=np.int32)
    whole = epoch.shape == (count,) and epoch.dtype.kind in "iu"
    if not whole or abs(epoch).max() > MOST_POSITION or (np.diff(epoch.astype(np.int64)) < 1).any():
        _refuse(path, "epoch", "is not one rising whole number an epoch", "mend it or leave it out")
    return epoch.astype(np.int32)


def _person(path: Path, subject: Array | None, night: Array | None) -> tuple[str, int]:
    """Who was recorded, and in which night: told by the file, by its name, or one person a file."""
    if night is not None and (night.size != 1 or night.dtype.kind not in "iu"):
        _refuse(path, "night", f"is {night!r}", "write one whole number")
    if subject is not None:
        if subject.size != 1 or subject.dtype.kind not in "USiu":
            _refuse(path, "subject", f"is {subject!r}", "write one name")
        return str(subject.item()), 1 if night is None else int(night.item())
    return person_of(path.name) or (path.stem, 1)


def _label(path: Path, label: Array | None) -> str:
    if label is None:
        return "unknown"
    if label.size != 1 or label.dtype.kind not in "US":
        _refuse(path, "ch_label", f"is {label!r}", "write one name: a file holds one derivation")
    name = label.item()
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _refuse(path: Path, key: str, problem: str, remedy: str) -> NoReturn:
    raise UserError(f"{path}: key '{key}' {problem}. To mend it: {remedy}. Allowed: {LAYOUT}.")
