"""The notebook runs from top to bottom, and holds what it prints."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install -e '.[dev]'")
nbclient = pytest.importorskip("nbclient", reason="pip install -e '.[dev]'")

NOTEBOOK = Path(__file__).parents[2] / "docs" / "own-figure.ipynb"


def test_the_notebook_runs_and_prints_what_it_holds() -> None:
    held = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.from_dict(held)
    nbclient.NotebookClient(ran, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    assert printed(ran) == printed(held)
    assert sum("image/png" in output.get("data", {}) for output in outputs(held)) == 1


def outputs(notebook: object) -> list[dict[str, object]]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def printed(notebook: object) -> str:
    """What its cells print; pictures differ from machine to machine."""
    return "".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for output in outputs(notebook)
        if "image/png" not in output.get("data", {})
    )
