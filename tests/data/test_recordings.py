"""The first recordings of a source: no more are read, and nothing changes where all are taken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.data import npz, preparation
from sleepsweep.data.preparation import prepare
from sleepsweep.data.recordings import FirstRecordings
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError

Writer = Callable[..., Path]
SIMULATED = DataSpec.model_validate({"simulated": {"subjects": 3}})
KEY_OF_ALL = "efb5b2bdf6847a1ed45241b83027944c"  # computed before there was a limit


class FixedSource:
    def __len__(self) -> int:
        return 0

    def recordings(self) -> Any:
        return iter(())

    def fingerprint(self) -> dict[str, Any]:
        return {"root": "somewhere"}


@pytest.fixture
def spec(write_npz: Writer) -> DataSpec:
    for name in ("c.npz", "a.npz", "b.npz"):
        folder = write_npz(name).parent
    return DataSpec(source="npz", root=str(folder), sfreq=50, epoch_s=2)


def limited(spec: DataSpec, most: Any) -> DataSpec:
    return DataSpec.model_validate({**spec.model_dump(), "max_recordings": most})


def test_the_first_are_taken_in_the_order_of_the_source(spec: DataSpec, tmp_path: Path) -> None:
    source = limited(spec, 2).build()
    assert len(source) == 2
    assert [recording.subject for recording in source.recordings()] == ["a", "b"]
    assert prepare(limited(spec, 2), tmp_path / "cache").subjects == ("a", "b")


def test_files_behind_the_limit_are_not_read(spec: DataSpec, monkeypatch: Any) -> None:
    read: list[str] = []
    whole = npz.read_npz

    def noted(path: Path, epoch_s: float) -> Any:
        read.append(path.name)
        return whole(path, epoch_s)

    monkeypatch.setattr(npz, "read_npz", noted)
    assert len(list(limited(spec, 1).build().recordings())) == 1
    assert read == ["a.npz"]


def test_a_limit_beyond_the_last_recording_takes_all(spec: DataSpec, tmp_path: Path) -> None:
    assert len(limited(spec, 100).build()) == 3
    assert prepare(limited(spec, 100), tmp_path).data_hash == prepare(spec, tmp_path).data_hash


def test_it_is_for_every_source() -> None:
    built = limited(SIMULATED, 2).build()
    assert isinstance(built, FirstRecordings)
    assert [recording.subject for recording in built.recordings()] == ["SIM000", "SIM001"]


def test_nothing_changes_where_all_are_taken(spec: DataSpec) -> None:
    assert "max_recordings" not in spec.model_dump()
    assert "max_recordings" not in spec.model_dump_json()
    assert limited(spec, None) == spec
    assert limited(spec, None).build() == spec.build()


def test_the_key_of_a_store_that_takes_all_is_what_it_was() -> None:
    # Stores in people's caches are found again by it.
    assert preparation._key(SIMULATED, FixedSource()) == KEY_OF_ALL


def test_the_limit_is_part_of_a_store_s_key(spec: DataSpec, tmp_path: Path) -> None:
    folders = {prepare(limited(spec, most), tmp_path).folder for most in (None, 1, 2)}
    assert len(folders) == 3
    one, two = (limited(spec, most).build().fingerprint() for most in (1, 2))
    assert one != two


def test_a_prepared_store_is_used_as_it_is(spec: DataSpec, tmp_path: Path) -> None:
    store = prepare(limited(spec, 2), tmp_path)
    again = limited(spec, 2).pointed_at(store.folder)
    assert prepare(again).subjects == ("a", "b")
    assert prepare(limited(again, None)).subjects == ("a", "b")
    with pytest.raises(UserError, match=r"max_recordings is 1, but .* store of 2 recordings"):
        prepare(limited(again, 1))


@pytest.mark.parametrize("wrong", [0, -1, 2.5, "2", True])
def test_it_is_a_whole_number_above_zero(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="max_recordings"):
        limited(SIMULATED, wrong)
