"""What docs/latent-space.md shows runs, and its table is that of the measures."""

import re
from pathlib import Path

import pytest

from sleepsweep.latent import MEASURES, Embedded

PAGE = (Path(__file__).parents[2] / "docs" / "latent-space.md").read_text()


def test_the_example_runs(
    embedded: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    given = {name: getattr(embedded, name) for name in ("features", "stages", "subjects")}
    exec(code.replace(', "umap"', ""), given)  # which alone takes longer than all the rest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latent.html", "latent.png"]


def test_every_measure_is_explained_with_its_direction() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\S+) \|$", PAGE, re.MULTILINE)
    assert dict(rows) == {name: one.better or "–" for name, one in MEASURES.items()}
