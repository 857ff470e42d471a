"""The projector: a head that only pretraining uses, between the embedding and the loss."""

import torch
from torch import nn

from sleepsweep.learn.pretrainspec import Projector


def build_projector(kind: Projector, latent_dim: int, width: int, weights_seed: int) -> nn.Module:
    """Return a module from embeddings (batch, latent_dim) to projections (batch, width).

    ``none`` hands the embeddings on. ``linear`` is one layer, ``mlp`` two with batch norm and ReLU
    between them (Chen et al. 2020, SimCLR, section 2.1). Weights depend on `weights_seed` alone.
    """
    if kind == "none":
        return nn.Identity()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(weights_seed)
        if kind == "linear":
            return nn.Linear(latent_dim, width)
        return nn.Sequential(
            nn.Linear(latent_dim, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )
