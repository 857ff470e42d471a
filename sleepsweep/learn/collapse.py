"""Collapse: an encoder that maps all epochs to one place."""

import numpy as np
from numpy.typing import NDArray

# Embeddings have length 1. Where all epochs lie closer together than this, in root mean square
# distance from their mean, there is nothing left for a probe to read.
COLLAPSED_SPREAD = 1e-3


def spread_of(features: NDArray[np.float32]) -> float:
    """Return the root mean square distance of embeddings (epoch, latent_dim) from their mean."""
    return float(np.sqrt(features.var(axis=0).sum()))
