"""From recordings to a store: made once, kept, and found again."""

import hashlib
import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from sleepsweep.data.atomic import written_beside
from sleepsweep.data.names import bare_label
from sleepsweep.data.people import People
from sleepsweep.data.recording import Prepared, Recording, prepared
from sleepsweep.data.recordings import Source
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.data.store_files import FORMAT_VERSION, holds_store, write_store
from sleepsweep.errors import UserError
from sleepsweep.progress import Progress, silent


def prepare(spec: DataSpec, cache: Path | None = None, progress: Progress = silent) -> Store:
    """Return the store of `spec`, prepared now or earlier.

    It lies under `cache`, or ``$SLEEPSWEEP_CACHE``, or ``~/.cache/sleepsweep``, in a folder named
    by the source and a hash of the spec, of the state of the files and of the store format. It is
    written beside its final place and renamed, so that an interrupted preparation leaves nothing,
    and of two at once the first to finish is used by both. A `spec` whose source is a store is
    that store, as it is. `progress` is told (recordings done, in all, which comes next).
    Raises `UserError` for recordings that cannot be used, a folder that cannot be written, or a
    store that was prepared otherwise than `spec` says.
    """
    if spec.kind == "store":
        return _as_it_is(spec)
    source = spec.build()
    key = _key(spec, source)
    folder = cache or Path(os.environ.get("SLEEPSWEEP_CACHE") or "~/.cache/sleepsweep")
    target = folder.expanduser().resolve() / f"{spec.kind}-{key[:16]}"
    if not target.exists():
        _write(target, spec, source, key, progress)
    return Store.open(target)


def import_store(spec: DataSpec, out: Path, progress: Progress = silent) -> Store:
    """Prepare the recordings of `spec` into the folder `out`, or return the store that is there.

    `progress` as in `prepare`. Raises `UserError` like `prepare`, and when `out` exists and is not
    the store of exactly this spec and these files.
    """
    source = spec.build()
    key = _key(spec, source)
    target = out.expanduser().resolve()
    if not target.exists():
        _write(target, spec, source, key, progress)
    elif not holds_store(target):
        raise UserError(f"{target}: exists and is no store. Give a folder that does not exist yet.")
    store = Store.open(target)
    if store.manifest.key != key:
        raise UserError(
            f"{target}: holds a store of other recordings, or of the same prepared in another way. "
            "Give a folder that does not exist yet, or delete this one."
        )
    return store


def _write(target: Path, spec: DataSpec, source: Source, key: str, progress: Progress) -> None:
    crop = {"wake_crop_min": spec.effective_wake_crop_min}
    with written_beside(target) as partial:
        settings = spec.model_dump(mode="json") | crop
        write_store(partial, _prepared(spec, source, progress), settings, key)


def _prepared(spec: DataSpec, source: Source, progress: Progress) -> Iterator[Prepared]:
    done, total, people = count(), len(source), People()

    def one(recording: Recording) -> Prepared:
        people.add(recording.subject, recording.night, recording.source)
        progress(next(done), total, f"{recording.subject}, night {recording.night}")
        return prepared(
            recording,
            sfreq=spec.sfreq,
            normalize=spec.normalize,
            wake_crop_min=spec.effective_wake_crop_min,
        )

    # A map, unlike a generator, does not keep a recording while the next one is read.
    return map(one, source.recordings())


def _key(spec: DataSpec, source: Source) -> str:
    preparation = spec.model_dump(mode="json", exclude={"root", "simulated"})
    parts = [FORMAT_VERSION, preparation, source.fingerprint()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _as_it_is(spec: DataSpec) -> Store:
    if spec.root is None:
        raise UserError(
            "data.root is missing: source store needs the folder of a store. Set data.root, or "
            "give the folder with --data."
        )
    store = Store.open(Path(spec.root).expanduser().resolve())
    made = store.manifest.preprocessing
    _check_number(spec, store)
    held = {key: made[key] for key in ("sfreq", "epoch_s", "normalize", "wake_crop_min")}
    held["derivations"] = list(store.channels)
    # What is null takes what the store holds.
    asked = spec.model_dump(mode="json", include=set(held), exclude_none=True)
    for key, value in asked.items():
        if _comparable(value) != _comparable(held[key]):
            raise UserError(
                f"data.{key} is {value}, but {store.folder} was prepared with {held[key]}. Set "
                f"data.{key} to that, or import the recordings again as you need them."
            )
    return store


def _check_number(spec: DataSpec, store: Store) -> None:
    if spec.max_recordings in (None, store.manifest.preprocessing.get("max_recordings")):
        return
    raise UserError(
        f"data.max_recordings is {spec.max_recordings}, but {store.folder} is a prepared store of "
        f"{len(store.manifest.recordings)} recordings, which is used as it is. Leave "
        "data.max_recordings out, or point data.root at the recordings themselves."
    )


def _comparable(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    # Recordings joined in one store may spell one derivation in several ways.
    return ["|".join(sorted({bare_label(name) for name in c.split("|")})) for c in value]
