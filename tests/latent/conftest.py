"""Embeddings in which stages and subjects are planted, and what is made of them once."""

import numpy as np
import pandas as pd
import pytest

from sleepsweep.latent import Embedded, measure, project
from sleepsweep.latent.planes import Plane

EPOCHS = 150


@pytest.fixture(scope="session")
def embedded() -> Embedded:
    """150 epochs of five stages and four subjects in eight dimensions, with two views."""
    generator = np.random.default_rng(0)
    stages = np.tile(np.arange(5), EPOCHS // 5)
    subjects = np.repeat(["Ann", "Bo", "Cy", "Di"], [30, 40, 40, 40])
    centres = generator.normal(size=(5, 8))
    features = centres[stages] + 0.8 * generator.normal(size=(EPOCHS, 8))
    one, two = (features + 0.2 * generator.normal(size=features.shape) for _ in range(2))
    return Embedded(features, stages, subjects, (one, two))


@pytest.fixture(scope="session")
def planes(embedded: Embedded) -> dict[str, Plane]:
    """Two planes through them that are quickly made."""
    return project(embedded.features, ["pca", "tsne"])


@pytest.fixture(scope="session")
def table(embedded: Embedded, planes: dict[str, Plane]) -> pd.DataFrame:
    """Their measures."""
    return measure(embedded, planes)
