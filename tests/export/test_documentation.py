"""What docs/export.md says is so."""

import re
from pathlib import Path

import numpy as np
import pytest

from sleepsweep.export import Exported

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()


def test_every_file_is_described(folder: Path) -> None:
    listed = re.findall(r"^\| `([\w./]+)` \|", PAGE, re.MULTILINE)
    assert sorted(name.rstrip("/") for name in listed) == sorted(p.name for p in folder.iterdir())


def test_the_example_runs(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "MODEL").symlink_to(exported.folder)
    monkeypatch.chdir(tmp_path)
    names = {"epochs": np.zeros((2, 1, 3000), np.float32)}
    exec(code, names)
    assert set(names["outputs"]) == {"probabilities", "embeddings"}
