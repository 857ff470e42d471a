"""Pictures that are no plane."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.image import imread

from sleepsweep.errors import UserError
from sleepsweep.pictures import literal, write_confusion_image

MATRIX = np.array([
    [5000, 200, 40, 0, 60], [30, 80, 50, 2, 42], [60, 300, 6000, 240, 160],
    [0, 0, 0, 0, 0], [90, 260, 240, 0, 2400],
])  # fmt: skip


def test_a_cell_holds_its_share_of_the_row_and_its_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: dict[tuple[int, int], list[str]] = {}
    whole = Axes.text

    def text(self: Axes, x: float, y: float, s: str, **options: object) -> object:
        drawn.setdefault((round(y), round(x)), []).append(s)
        return whole(self, x, y, s, **options)

    monkeypatch.setattr(Axes, "text", text)
    write_confusion_image(MATRIX, tmp_path / "confusion.png", "Confusion")
    assert drawn[0, 0] == ["94.3 %", "5,000"]
    assert drawn[1, 4] == ["20.6 %", "42"]  # rows are the reference
    assert drawn[4, 1] == ["8.7 %", "260"]
    assert [drawn[3, column] for column in range(5)] == [["–", "0"]] * 5
    assert imread(tmp_path / "confusion.png").shape[:2] == (780, 840)


@pytest.mark.parametrize("matrix", [np.zeros((5, 5), int), np.eye(5, dtype=int)])
def test_empty_and_perfect_matrices_are_drawn(tmp_path: Path, matrix: np.ndarray) -> None:
    write_confusion_image(matrix, tmp_path / "new" / "confusion.png", "$\\bad{ <script>")
    assert imread(tmp_path / "new" / "confusion.png").any()


def test_what_cannot_be_drawn_or_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"shape \(4, 4\)"):
        write_confusion_image(np.eye(4, dtype=int), tmp_path / "a.png", "Four")
    with pytest.raises(UserError, match="cannot be written"):
        write_confusion_image(MATRIX, tmp_path, "A folder")
    assert list(tmp_path.iterdir()) == []


def test_dollars_are_no_mathematics() -> None:
    assert literal("a\n$b$") == r"a \$b\$"
