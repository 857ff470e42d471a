import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.terminal.data import because, store_info


@pytest.fixture
def messy(tmp_path: Path) -> Store:
    """Two people, one of them with two nights; some epochs are bad, some in part."""
    draw = np.random.default_rng(0)
    folder = tmp_path / "npz"
    folder.mkdir()
    for name, gain in (("SC4001E0", 10.0), ("SC4002E0", 20.0), ("anna", 1.0)):
        x = gain * draw.standard_normal((20, 3000))
        if name == "SC4002E0":
            x[0], x[1, 5], x[2, :1500] = 0.0, np.nan, 0.0
        np.savez(folder / f"{name}.npz", x=x, y=np.arange(20) % 5, fs=100.0, ch_label="Fpz-Cz")
    return prepare(DataSpec(source="npz", root=str(folder)), tmp_path / "cache")


def lines(store: Store) -> list[list[str]]:
    printed = io.StringIO()
    Console(file=printed, width=140).print(store_info(store))
    return [line.split() for line in printed.getvalue().splitlines()]


def test_subjects_stages_and_reasons(messy: Store) -> None:
    said = lines(messy)
    assert ["2", "subjects,", "3", "nights,", "58", "epochs"] in said
    assert ["anna", "1", "4", "4", "4", "4", "4", "0"] in said
    bad = ["1", "not", "finite,", "1", "flat"]
    assert ["SC400", "2", "7", "7", "8", "8", "8", "2", *bad] in said
    assert ["all", "3", "11", "11", "12", "12", "12", "2", *bad] in said


def test_a_quality_row_a_recording(messy: Store) -> None:
    rows = [line for line in lines(messy) if line and "?" in line and "%" in line]
    assert [row[:3] for row in rows] == [
        ["SC400", "1", "20"], ["SC400", "2", "18"], ["anna", "1", "20"],
    ]  # fmt: skip
    amplitudes = [float(row[3]) for row in rows]
    assert amplitudes == pytest.approx([10, 19.5, 1], rel=0.05)
    clean = [row[5:9:2] for row in rows]
    assert clean == [["100.0", "0.0"], [f"{100 - 100 / 36:.1f}", "5.6"], ["100.0", "0.0"]]


def test_the_preparation_is_told(messy: Store) -> None:
    text = " ".join(word for line in lines(messy) for word in line)
    assert "Fpz-Cz at 100 Hz in epochs of 30 s, normalised: robust" in text
    assert messy.data_hash in text


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((5, 3000))
    folder = tmp_path / "npz"
    folder.mkdir()
    file = folder / "a.npz"
    np.savez(file, x=x, y=np.arange(5), fs=100.0, ch_label="Cz", subject="[/red][bold]x", night=1)
    store = prepare(DataSpec(source="npz", root=str(folder)), tmp_path / "cache")
    assert sum(line[:1] == ["[/red][bold]x"] for line in lines(store)) == 2


def test_reasons_are_words() -> None:
    counts = {"wake": 3, "unscored": 0, "out_of_range": 2}
    assert because(counts) == "3 of wake far from sleep, 2 out of range"
