"""The files that show a latent space: embeddings, planes and measures."""

from pathlib import Path

import pandas as pd

from sleepsweep.experiment.spec import LatentSpec
from sleepsweep.latent import Embedded, measure, project, write_image, write_page
from sleepsweep.metrics import STAGES
from sleepsweep.replacing import replacing, writing

NAMES = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


def write_latent(
    embedded: Embedded, labels: pd.DataFrame, spec: LatentSpec, folder: Path, title: str
) -> dict[str, float]:
    """Write what `spec` asks for into `folder`; return the embedding's measures by name.

    ``embeddings.parquet`` (a row an epoch: its `labels`, the embedding e0, e1, …, and planes),
    ``measures.csv``, ``index.html``, and a PNG file for each plane, coloured by stage.
    """
    planes = project(embedded.features, spec.pictures)
    shown = planes if spec.measures else {}
    table = measure(embedded, shown, n_clusters=spec.clusters)
    if not spec.measures:
        table = table.iloc[:0]
    columns = {f"e{place}": column for place, column in enumerate(embedded.features.T)}
    for name, plane in planes.items():
        columns |= {f"{name}_1": plane[:, 0], f"{name}_2": plane[:, 1]}
    with writing(folder), replacing(folder / "embeddings.parquet") as partial:
        pd.concat([labels, pd.DataFrame(columns)], axis=1).to_parquet(partial, index=False)
    with writing(folder), replacing(folder / "measures.csv") as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
    stages = [STAGES[stage] for stage in embedded.stages]
    for name, plane in planes.items():
        write_image(plane, stages, folder / f"{name}.png", f"{title}: {NAMES[name]}")
    write_page(embedded, planes, table, folder / "index.html", title)
    found = table[(table["space"] == "embedding") & table["value"].notna()]
    return dict(zip(found["measure"], found["value"].astype(float), strict=True))
