"""Embeddings of finished trials of a sweep, for the report: written once beside its tables.

They are of validation subjects, whom a sweep may read; the store withholds the test subjects here
as everywhere else.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepsweep.errors import UserError
from sleepsweep.sweepfolder import SweepFolder
from sleepsweep.sweepstore import open_store
from sleepsweep.trainable import embeddings_of
from sleepsweep.trial import TrialSpec

EPOCHS = 2000
"""Epochs of a trial that are embedded, spread evenly over its validation subjects."""


def write_embeddings(folder: Path, trials: Collection[str], *, umap: bool = False) -> list[str]:
    """Embed validation epochs with the last checkpoint of each of `trials`, where it is not done.

    With `umap` the file also holds a plane by UMAP (McInnes et al. 2018, arXiv:1802.03426).
    Returns sentences about what could not be embedded.
    """
    sweep, troubles = SweepFolder(folder), []
    specs = {record.trial.id: record.trial for record in sweep.records()}
    for trial in sorted(set(trials) & set(specs)):
        path = sweep.embeddings_path(trial)
        if path.is_file() and not (umap and _lacks_umap(path)):
            continue
        try:
            _write(sweep, specs[trial], path, umap=umap)
        except (UserError, OSError) as error:
            troubles.append(f"trial {trial} has no embeddings in the report: {error}")
    return troubles


def _write(sweep: SweepFolder, trial: TrialSpec, path: Path, *, umap: bool) -> None:
    store = open_store(sweep.read_manifest())
    found = embeddings_of(trial, store, sweep.checkpoint_path(trial.id), EPOCHS)
    arrays: dict[str, Any] = {
        "embedding": found.features, "stage": found.stages, "subject": found.subjects
    }  # fmt: skip
    if umap:
        arrays["umap"] = _plane(found.features)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as handle:
        np.savez_compressed(handle, **arrays)
    partial.replace(path)


def _lacks_umap(path: Path) -> bool:
    with np.load(path, allow_pickle=False) as arrays:
        return "umap" not in arrays


def _plane(features: NDArray[np.float32]) -> NDArray[np.float32]:
    # Importing umap compiles for up to 20 s: only where a plane is asked for.
    from umap import UMAP

    return np.asarray(UMAP(random_state=0, n_jobs=1).fit_transform(features), dtype=np.float32)
