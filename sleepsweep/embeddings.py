"""Embeddings of finished trials of a sweep, for the report: written once beside its tables.

They are of validation subjects, whom a sweep may read; the store withholds the test subjects here
as everywhere else.
"""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.store import open_store
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.learn.probe import embed
from sleepsweep.probedrun import ProbedRun
from sleepsweep.probing import probed
from sleepsweep.replacing import replacing
from sleepsweep.trial import TrialSpec

EPOCHS = 2000
"""Epochs of a trial that are embedded, spread evenly over its validation subjects."""


def write_embeddings(
    folder: Path, trials: Collection[str], into: Path | None = None, *, umap: bool = False
) -> list[str]:
    """Embed validation epochs with the last checkpoint of each of `trials`, where it is not done.

    The files are kept in the sweep's `folder`, or `into` another one, with copies of what the sweep
    has. With `umap` the file also holds a plane by UMAP (McInnes et al. 2018, arXiv:1802.03426).
    Returns sentences about what could not be embedded.
    """
    sweep, troubles = SweepFolder(folder), []
    specs = {record.trial.id: record.trial for record in sweep.records()}
    for trial in sorted(set(trials) & set(specs)):
        own = sweep.embeddings_path(trial)
        path = (into or own.parent) / own.name
        if _is_done(path, umap=umap):
            continue
        try:
            with replacing(path) as partial:
                if _is_done(own, umap=umap):
                    shutil.copyfile(own, partial)
                else:
                    _write(sweep, specs[trial], partial, umap=umap)
        except (UserError, OSError) as error:
            troubles.append(f"trial {trial} has no embeddings in the report: {error}")
    return troubles


def _write(sweep: SweepFolder, trial: TrialSpec, path: Path, *, umap: bool) -> None:
    store = open_store(sweep.read_manifest())
    arrays = _embedded(trial, store, sweep.trial(trial.id).checkpoint)
    if umap:
        arrays["umap"] = _plane(arrays["embedding"])
    with path.open("wb") as handle:
        np.savez_compressed(handle, **arrays)


def _embedded(trial: TrialSpec, store: Store, checkpoint: Path) -> dict[str, Any]:
    """Embeddings (epoch, latent_dim), stages 0–4 and subjects of validation epochs."""
    if not checkpoint.exists():
        raise UserError(f"{checkpoint}: no such file.")
    if store.data_hash != trial.data_hash:
        raise UserError(f"{store.folder} holds other data by now than the trial was made for.")
    run = ProbedRun(trial, store)
    run.restore(checkpoint)
    parts = {subject: probed(trial, store, [subject]) for subject in trial.validation}
    rows = np.concatenate(list(parts.values()))
    subjects = np.repeat(list(parts), [len(part) for part in parts.values()])
    keep = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), EPOCHS)).round().astype(np.int64))
    features = embed(run.pretraining.encoder, store.gather(rows[keep]))
    return {"embedding": features, "stage": store.stages(rows[keep]), "subject": subjects[keep]}


def _is_done(path: Path, *, umap: bool) -> bool:
    if not (umap and path.is_file()):
        return path.is_file()
    with np.load(path, allow_pickle=False) as arrays:
        return "umap" in arrays


def _plane(features: NDArray[np.float32]) -> NDArray[np.float32]:
    # Importing umap compiles for up to 20 s: only where a plane is asked for.
    from umap import UMAP

    return np.asarray(UMAP(random_state=0, n_jobs=1).fit_transform(features), dtype=np.float32)
