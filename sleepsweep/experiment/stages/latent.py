"""Stage ``latent``: measures and pictures of how validation epochs lie in the latent space."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, nn

from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.latentfiles import write_embeddings, write_latent
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.stages.base import Found, Tell, encoder_of
from sleepsweep.latent import Embedded
from sleepsweep.learn.probe import embed, embed_rows
from sleepsweep.learn.rows import spread_evenly
from sleepsweep.probedrun import signal_of, views_of
from sleepsweep.seeds import stream


def latent(setting: Setting, folder: ExperimentFolder, tell: Tell) -> Found:
    """Embed validation epochs, and two views of each, and describe what comes out."""
    spec, store, encoder = setting.spec.latent, setting.store, encoder_of(setting, folder)
    everything = setting.validation
    count = min(max(1, round(spec.fraction * len(everything))), spec.most_epochs)
    rows = spread_evenly(everything, count)
    embedded = Embedded(
        embed_rows(encoder, store.gather, rows), store.stages(rows), store.subjects_of(rows),
        _views(setting, encoder, rows),
    )  # fmt: skip
    title = f"{setting.spec.name}: latent space of the validation subjects"
    place = folder.path / "latent"
    found = write_latent(embedded, spec, place, title)
    path = place / "embeddings.parquet"
    write_embeddings(store.labels(rows), embedded.features, path, found.planes)
    return {**found.measures}


def _views(
    setting: Setting, encoder: nn.Module, rows: NDArray[np.int64], batch: int = 256
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The embeddings of two views of each epoch, as pretraining would draw them."""
    store, trial = setting.store, setting.trial
    policy = trial.build_policy().in_signal(signal_of(store, trial.train))
    views = views_of(policy, trial.mix_partner, store, store.rows(trial.train))
    generator = Generator().manual_seed(stream("latent views", split=trial.split, seed=trial.seed))
    # Drawn on the CPU, so that they are the same wherever the encoder is.
    pairs = [
        [embed(encoder, view.numpy()) for view in views(epochs, generator)]
        for start in range(0, len(rows), batch)
        for epochs in [torch.from_numpy(store.gather(rows[start : start + batch]))]
    ]
    one, two = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return one, two
