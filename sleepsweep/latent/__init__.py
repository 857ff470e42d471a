"""Measures and pictures of a latent space, from plain arrays: no training, no store, no sweep.

embedded = Embedded(features, stages, subjects)
planes = project(embedded.features, ["pca", "umap"])
table = measure(embedded, planes)
write_page(embedded, planes, table, Path("latent.html"), "A latent space")
"""

from sleepsweep.latent.embedded import Embedded
from sleepsweep.latent.images import write_image
from sleepsweep.latent.measures import COLUMNS, LABELS, MEASURES, Measure, measure
from sleepsweep.latent.page import write_page
from sleepsweep.latent.planes import PlaneKind, project

__all__ = [
    "COLUMNS", "LABELS", "MEASURES", "Embedded", "Measure", "PlaneKind", "measure", "project",
    "write_image", "write_page",
]  # fmt: skip
