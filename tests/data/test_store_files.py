"""The files of a store: opened only when they belong together, damage is found and named."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data import store_files
from sleepsweep.data.recording import Prepared, Recording, prepared
from sleepsweep.data.store import Store
from sleepsweep.data.store_files import holds_store, write_store
from sleepsweep.errors import UserError

Maker = Callable[..., Recording]
Damage = Callable[[Path], object]


def night(make: Maker, subject: str, number: int, count: int, samples: int = 300) -> Prepared:
    draw = np.random.default_rng(sum(map(ord, subject)) + number)
    recording = make(
        draw.standard_normal((count, samples)), np.arange(count) % 5, subject=subject,
        night=number, source=f"{subject}{number}.npz",
    )  # fmt: skip
    return prepared(recording, sfreq=100, normalize="robust", wake_crop_min=None)


@pytest.fixture
def folder(make_recording: Maker, tmp_path: Path) -> Path:
    """A store of three nights of two people, the second person's first."""
    nights = [("b", 1, 40), ("a", 1, 50), ("a", 2, 60)]
    path = tmp_path / "store"
    path.mkdir()
    write_store(path, (night(make_recording, *one) for one in nights), {}, key="k")
    return path


def test_the_index_has_a_row_an_epoch(folder: Path) -> None:
    index = pd.read_parquet(folder / "index.parquet")
    assert list(index) == ["subject", "night", "position", "stage", "quality", "recording"]
    assert index.groupby("recording").size().tolist() == [40, 50, 60]
    assert index["subject"].tolist() == ["b"] * 40 + ["a"] * 110
    assert index["night"].tolist() == [1] * 90 + [2] * 60
    assert index["quality"].eq(1.0).all()
    assert np.load(folder / "epochs.npy").shape == (150, 1, 300)


def test_a_whole_store_is_verified(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(folder).verify()
    monkeypatch.setattr(store_files, "BLOCK_BYTES", 777)
    Store.open(folder).verify()


def _write_at(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def test_a_block_of_zeros_is_named_with_its_recording(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row_bytes, header = 300 * 4, Store.open(folder)._epochs.offset
    _write_at(folder / "epochs.npy", header + 41 * row_bytes, bytes(row_bytes))
    monkeypatch.setattr(store_files, "BLOCK_BYTES", 1000)
    opened = Store.open(folder)  # by chance not in the sample: opening is quick, and reads few
    with pytest.raises(UserError) as caught:
        opened.verify()
    where = "(epochs.npy has changed in a night 1 (rows 40 to 89, from a1.npz))"
    assert str(caught.value).startswith(f"{folder}: damaged store {where}.")


def test_verifying_reads_in_blocks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    original = store_files._blocks

    def spy(*arguments: Any) -> Any:
        for block in original(*arguments):
            sizes.append(len(block))
            yield block

    monkeypatch.setattr(store_files, "_blocks", spy)
    monkeypatch.setattr(store_files, "BLOCK_BYTES", 4096)
    Store.open(folder).verify()
    assert max(sizes) == 4096
    assert sum(sizes) == 150 * 300 * 4


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(500))


def _other_epochs(path: Path) -> None:
    np.save(path, np.load(path)[::-1])


def _fewer_epochs(path: Path) -> None:
    np.save(path, np.load(path)[:-1])


def _another_type(path: Path) -> None:
    np.save(path, np.load(path).astype(np.float64))


def _pickled(path: Path) -> None:
    np.save(path, np.array([{}] * 150), allow_pickle=True)


def _other_quality(path: Path) -> None:
    pd.read_parquet(path).assign(quality=np.float32(0.5)).to_parquet(path)


def _no_quality(path: Path) -> None:
    pd.read_parquet(path).drop(columns="quality").to_parquet(path)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _without_recordings(path: Path) -> None:
    path.write_text(path.read_text().replace('"recordings"', '"records"'))


def _another_rate(path: Path) -> None:
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"sfreq": 2 * manifest["sfreq"]}, indent=1))


def _a_list(path: Path) -> None:
    path.write_text("[]")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("epochs.npy", _cut),
        ("epochs.npy", _lengthen),
        ("epochs.npy", _empty),
        ("epochs.npy", _other_epochs),
        ("epochs.npy", _fewer_epochs),
        ("epochs.npy", _another_type),
        ("epochs.npy", _pickled),
        ("epochs.npy", Path.unlink),
        ("index.parquet", _cut),
        ("index.parquet", _other_quality),
        ("index.parquet", _no_quality),
        ("index.parquet", Path.unlink),
        ("manifest.json", _cut),
        ("manifest.json", _without_recordings),
        ("manifest.json", _another_rate),
    ],
)
def test_a_damaged_store_is_named(folder: Path, name: str, damage: Damage) -> None:
    damage(folder / name)
    with pytest.raises(UserError, match=r"damaged store .*Delete this folder") as caught:
        Store.open(folder)
    assert str(caught.value).startswith(str(folder))
    assert holds_store(folder)  # so that --data names the damage


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _of_something_else(path: Path) -> None:
    path.write_text('{"manifest_version": 3, "name": "a browser extension"}')


def _not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    "change", [Path.unlink, _empty, _a_list, _a_folder, _of_something_else, _not_text]
)
def test_what_is_not_known_to_be_a_store_is_not_to_be_deleted(folder: Path, change: Damage) -> None:
    change(folder / "manifest.json")
    with pytest.raises(UserError, match=r"is not a store: .*\(found: .*1 × \.npy") as caught:
        Store.open(folder)
    assert str(caught.value).startswith(str(folder))
    assert "elete" not in str(caught.value)
    assert not holds_store(folder)


def test_recordings_are_no_damaged_store(tmp_path: Path) -> None:
    for name in ("SC4001E0-PSG.edf", "epochs.npy"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"is not a store: .*1 × \.edf.*sleepsweep data import"):
        Store.open(tmp_path)
    assert not holds_store(tmp_path)
    assert not holds_store(tmp_path / "epochs.npy")


@pytest.mark.parametrize("name", ["index.parquet", "epochs.npy"])
def test_a_file_of_another_store_is_noticed(
    folder: Path, make_recording: Maker, tmp_path: Path, name: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    nights = [("b", 1, 40), ("c", 1, 50), ("a", 2, 60)]
    write_store(other, (night(make_recording, *one) for one in nights), {}, key="k")
    shutil.copy(other / name, folder / name)
    with pytest.raises(UserError, match=rf"{name} belongs to other data"):
        Store.open(folder)


def test_another_format_version_is_refused(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"format_version": 3', '"format_version": 99'))
    with pytest.raises(UserError, match="format 99, this sleepsweep reads format 3"):
        Store.open(folder)


def test_a_store_that_may_not_be_read_is_not_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)  # root may read everything
    with pytest.raises(UserError, match=r"may not be read .*Permission denied") as caught:
        Store.open(folder)
    assert "Delete" not in str(caught.value)
    with pytest.raises(UserError, match=r"may not be read .*Permission denied"):
        holds_store(folder)


def test_a_store_that_was_never_finished_is_said_to_be_one(folder: Path) -> None:
    partial = folder.rename(folder.with_name(".partial-01234567"))
    with pytest.raises(UserError, match=r"still being written, or never was finished"):
        Store.open(partial)


def test_no_such_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such store"):
        Store.open(tmp_path / "nowhere")
    assert not holds_store(tmp_path / "nowhere")
    assert not holds_store(tmp_path)


def test_recordings_of_another_shape_are_refused(make_recording: Maker, tmp_path: Path) -> None:
    nights = (night(make_recording, "a", 1, 9, samples) for samples in (300, 200))
    with pytest.raises(UserError, match=r"a1\.npz: epochs of .* \(1, 200\), .* have \(1, 300\)"):
        write_store(tmp_path, nights, {}, key="k")


def test_no_recording_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No recording was found"):
        write_store(tmp_path, [], {}, key="k")


def test_the_data_hash_follows_the_data_alone(make_recording: Maker, tmp_path: Path) -> None:
    first = night(make_recording, "a", 1, 30)
    moved = replace(first, recording=replace(first.recording, source="elsewhere/a.npz"))
    scored = np.where(np.arange(30) == 3, 0, first.recording.stages).astype(np.int8)
    rescored = replace(first, recording=replace(first.recording, stages=scored))
    hashes = []
    for number, one in enumerate((first, moved, rescored)):
        path = tmp_path / str(number)
        path.mkdir()
        write_store(path, [one], {"n": number}, key=str(number))
        hashes.append(Store.open(path).data_hash)
    assert hashes[0] == hashes[1] != hashes[2]
