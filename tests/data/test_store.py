"""The store: prepared once, written whole or not at all, closed to some."""

import json
import multiprocessing
import pickle
import resource
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.data import preparation
from sleepsweep.data.npz import NpzSource, read_npz
from sleepsweep.data.preparation import import_store, prepare
from sleepsweep.data.recording import Recording, normalised
from sleepsweep.data.simulation.source import SimulatedSpec
from sleepsweep.data.source import DataSpec
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError

Writer = Callable[..., Path]
NAMES = ("SC4001E0.npz", "SC4002E0.npz", "SC4011E0.npz", "other.npz")


@pytest.fixture
def spec(write_npz: Writer) -> DataSpec:
    for name in NAMES:
        folder = write_npz(name).parent
    return DataSpec(source="npz", root=str(folder), sfreq=50, epoch_s=2)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(spec: DataSpec, cache: Path) -> Store:
    return prepare(spec, cache)


def test_what_goes_in_comes_out(spec: DataSpec, store: Store, write_npz: Writer) -> None:
    assert store.subjects == ("SC400", "SC401", "other")
    assert (store.sfreq, store.channels) == (50.0, ("Fpz-Cz",))
    rows = store.rows(["SC400"])
    assert rows.dtype == np.int64
    assert len(rows) == 12
    second, _, _ = normalised(read_npz(Path(spec.root or "") / "SC4002E0.npz", 2), "robust")
    np.testing.assert_array_equal(store.gather(rows[6:]), second.epochs)
    assert store.stages(rows).tolist() == [0, 1, 2, 3, 4, 0] * 2
    assert store.stages(rows).dtype == np.int8


def test_gather_returns_a_writable_copy(store: Store) -> None:
    first = store.gather([3, 0, 3])
    assert first.shape == (3, 1, 100)
    assert type(first) is np.ndarray
    first[:] = 0
    assert store.gather([3, 0, 3]).any()
    assert store.gather([]).shape == (0, 1, 100)


@pytest.mark.parametrize("rows", [[-1], [24]])
def test_rows_out_of_range(store: Store, rows: list[int]) -> None:
    with pytest.raises(IndexError, match="0 to 23"):
        store.gather(rows)


def test_a_mask_is_no_list_of_rows(store: Store) -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        store.gather(np.ones(24, dtype=bool))


def test_unknown_subjects(store: Store) -> None:
    with pytest.raises(ValueError, match="no such subjects: nobody"):
        store.rows(["nobody"])
    with pytest.raises(ValueError, match="no such subjects: nobody"):
        store.withholding(["nobody"])


def test_withheld_subjects_are_handed_to_nobody(store: Store) -> None:
    hidden = store.rows(["SC400"])
    view = store.withholding(["SC400"])
    assert view.subjects == ("SC401", "other")
    assert view.data_hash == store.data_hash
    for closed in (view, view.withholding(["other"]), pickle.loads(pickle.dumps(view))):  # noqa: S301
        with pytest.raises(LeakError, match="SC400"):
            closed.rows(["SC400", "SC401"])
        for row in hidden:
            with pytest.raises(LeakError):
                closed.gather([20, row])
            with pytest.raises(LeakError):
                closed.stages([row])
        assert "SC400" not in [row.subject for row in closed.summary()]
    assert len(view.gather(view.rows(view.subjects))) == 12
    assert store.subjects == ("SC400", "SC401", "other")


def test_a_store_travels_as_a_path(store: Store) -> None:
    message = pickle.dumps(store)
    assert len(message) < 1000
    again = pickle.loads(message)  # noqa: S301
    np.testing.assert_array_equal(again.gather([5]), store.gather([5]))


def test_summary(spec: DataSpec, cache: Path, write_npz: Writer) -> None:
    x = np.random.default_rng(0).standard_normal((6, 100))
    x[0], x[1, 3] = 0, np.nan
    write_npz("SC4002E0.npz", x=x, y=np.array([0, 1, 2, 3, 4, -1]))
    first = prepare(spec, cache).summary()[0]
    assert (first.subject, first.nights) == ("SC400", 2)
    assert first.epochs == {"W": 2, "N1": 1, "N2": 2, "N3": 2, "R": 2}
    assert first.dropped == {
        "wake": 0, "unscored": 1, "not_finite": 1, "flat": 1, "out_of_range": 0,
    }  # fmt: skip


def test_recordings_are_described_with_their_quality(
    spec: DataSpec, cache: Path, write_npz: Writer
) -> None:
    x = 5 * np.random.default_rng(0).standard_normal((6, 100))
    x[0, :50], x[1, 3], x[2, 3] = 0.0, 100.0, np.nan  # half flat, half out of range, dropped
    write_npz("SC4002E0.npz", x=x)
    store = prepare(spec, cache)
    second = store.recordings()[1]
    assert (second.subject, second.night, second.unit) == ("SC400", 2, "unknown")
    assert second.channels == ("Fpz-Cz",)
    assert second.source.endswith("SC4002E0.npz")
    kept = x[[0, 1, 3, 4, 5]]
    spread = 1.4826 * np.median(np.abs(kept - np.median(kept)))
    assert second.amplitude == pytest.approx((spread,), rel=1e-4)
    assert (second.quality, second.marked) == (pytest.approx(0.8), pytest.approx(0.4))
    assert (sum(second.epochs.values()), second.dropped["not_finite"]) == (5, 1)
    assert store.quality(store.rows(["SC400"])[6:]).tolist() == [0.5, 0.5, 1.0, 1.0, 1.0]
    assert store.nights == {"SC400": 2, "SC401": 1, "other": 1}


def test_quality_and_recordings_of_withheld_subjects_are_closed_too(store: Store) -> None:
    view = store.withholding(["SC400"])
    assert {one.subject for one in view.recordings()} == {"SC401", "other"}
    assert view.nights == {"SC401": 1, "other": 1}
    with pytest.raises(LeakError):
        view.quality([0])


def test_microvolts(spec: DataSpec, cache: Path) -> None:
    nights = DataSpec(simulated=SimulatedSpec(subjects=1))
    raw = prepare(nights.model_copy(update={"normalize": "none"}), cache)
    robust = prepare(nights, cache)
    assert raw.uv_per_unit(raw.subjects) == 1.0
    assert robust.units_per_sd(robust.subjects) == pytest.approx(1.0, rel=1e-5)
    assert raw.units_per_sd(raw.subjects) == pytest.approx(robust.uv_per_unit(robust.subjects))
    rows = [400, 500]
    difference = raw.gather(rows) - robust.gather(rows) * robust.uv_per_unit(robust.subjects)
    assert np.abs(difference - difference.mean()).max() < 1e-3
    # Of unknown unit: a robust sd is taken for 20 µV, whatever the numbers are.
    assert prepare(spec, cache).uv_per_unit(prepare(spec, cache).subjects) == pytest.approx(
        20.0, rel=1e-4
    )
    as_is = prepare(spec.model_copy(update={"normalize": "none"}), cache)
    assert as_is.uv_per_unit(as_is.subjects) == pytest.approx(
        20.0, rel=0.2
    )  # the files hold unit noise


def test_the_manifest_says_how_it_was_made(spec: DataSpec, store: Store) -> None:
    manifest = json.loads((store.folder / "manifest.json").read_text(encoding="utf-8"))
    assert DataSpec.model_validate(manifest["preprocessing"]) == spec
    entry = manifest["recordings"][0]
    assert entry["source"].endswith("SC4001E0.npz")
    assert (entry["kept"], entry["unit"]) == (6, "unknown")
    assert len(entry["centre"]) == len(entry["scale"]) == 1


def test_the_crop_that_was_made_is_recorded(cache: Path) -> None:
    nights = DataSpec(simulated=SimulatedSpec(subjects=1))
    assert prepare(nights, cache).manifest.preprocessing["wake_crop_min"] == 30.0


def test_a_store_is_reused(spec: DataSpec, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(spec, cache)
    monkeypatch.setattr(preparation, "write_store", _never)
    assert prepare(spec, cache).folder == first.folder
    monkeypatch.setenv("SLEEPSWEEP_CACHE", str(cache))
    assert prepare(spec).folder == first.folder


def test_a_changed_file_or_spec_makes_another_store(
    spec: DataSpec, cache: Path, write_npz: Writer
) -> None:
    first = prepare(spec, cache)
    other = prepare(spec.model_copy(update={"normalize": "zscore"}), cache)
    write_npz("one_more.npz")
    more = prepare(spec, cache)
    assert len({first.folder, other.folder, more.folder}) == 3
    assert len({first.data_hash, other.data_hash, more.data_hash}) == 3


def test_the_data_hash_is_of_the_data(spec: DataSpec, store: Store, tmp_path: Path) -> None:
    assert prepare(spec, tmp_path / "second").data_hash == store.data_hash


def test_one_recording_is_held_at_a_time(
    spec: DataSpec, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[weakref.ref[object]] = []

    def tracked(thing: Any) -> Any:
        alive.append(weakref.ref(thing))
        return thing

    def recordings(source: NpzSource) -> Iterator[Recording]:
        for name in NAMES:
            assert not any(reference() for reference in alive)
            yield tracked(read_npz(source.root / name, 2))

    monkeypatch.setattr(NpzSource, "recordings", recordings)
    original = preparation.prepared
    monkeypatch.setattr(preparation, "prepared", lambda *a, **k: tracked(original(*a, **k)))
    prepare(spec, cache)
    assert len(alive) == 8


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, UserError])
def test_nothing_half_written_remains(
    spec: DataSpec, cache: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def recordings(source: NpzSource) -> Iterator[Recording]:
        yield read_npz(source.root / NAMES[0], 2)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(NpzSource, "recordings", recordings)
        with pytest.raises(error):
            prepare(spec, cache)
    assert list(cache.iterdir()) == []
    assert len(prepare(spec, cache).subjects) == 3


def test_the_other_process_was_first(
    spec: DataSpec, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = preparation.write_store

    def meanwhile(*arguments: object) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(preparation, "write_store", original)
            prepare(spec, cache)
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(preparation, "write_store", meanwhile)
    assert prepare(spec, cache).subjects == ("SC400", "SC401", "other")
    assert len(list(cache.iterdir())) == 1


def test_two_processes_at_once(spec: DataSpec, cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        hashes = pool.starmap(_prepared_hash, [(spec, cache)] * 2)
    assert hashes[0] == hashes[1]
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_cannot_be_written(spec: DataSpec, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="SLEEPSWEEP_CACHE"):
        prepare(spec, tmp_path / "file")


def test_files_of_different_length_are_refused(
    spec: DataSpec, cache: Path, write_npz: Writer
) -> None:
    write_npz("z.npz", x=np.ones((6, 120)))
    with pytest.raises(UserError, match=r"z\.npz: key 'x'"):
        prepare(spec, cache)
    assert list(cache.iterdir()) == []


def test_a_full_disk_is_one_message_and_leaves_nothing(spec: DataSpec, cache: Path) -> None:
    # A limit on the size of files stands for a full disk: the write itself fails, part-way.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        messages = [pool.apply(_on_a_small_disk, (spec, cache, size)) for size in (0, 1000, 5000)]
    for said in messages:
        assert said.startswith(f"{cache}: cannot be written"), said
        assert "File too large" in said
    assert list(cache.iterdir()) == []
    assert len(prepare(spec, cache).subjects) == 3


def test_an_error_of_reading_is_not_called_one_of_writing(
    spec: DataSpec, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recordings(source: NpzSource) -> Iterator[Recording]:
        raise OSError("the drive with the recordings is gone")
        yield

    monkeypatch.setattr(NpzSource, "recordings", recordings)
    with pytest.raises(OSError, match="the drive with the recordings is gone"):
        prepare(spec, cache)
    assert list(cache.iterdir()) == []


def test_a_store_is_imported_into_a_folder_of_the_users(spec: DataSpec, tmp_path: Path) -> None:
    made = import_store(spec, tmp_path / "deep" / "mine")
    assert made.folder == tmp_path / "deep" / "mine"
    assert made.data_hash == prepare(spec, tmp_path / "cache").data_hash
    assert [path.name for path in made.folder.parent.iterdir()] == ["mine"]


def test_the_same_import_again_reuses_the_store(
    spec: DataSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = import_store(spec, tmp_path / "mine")
    monkeypatch.setattr(preparation, "write_store", _never)
    assert import_store(spec, tmp_path / "mine").data_hash == made.data_hash
    with pytest.raises(UserError, match=r"mine: holds a store of other recordings"):
        import_store(spec.model_copy(update={"normalize": "zscore"}), tmp_path / "mine")


def test_an_import_leaves_other_folders_alone(spec: DataSpec, tmp_path: Path) -> None:
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    for existing in (other, other / "thesis.tex"):
        with pytest.raises(UserError, match="exists and is no store"):
            import_store(spec, existing)
    assert (other / "thesis.tex").read_text() == "years of work"


def of_store(folder: Path, **changes: object) -> DataSpec:
    settings = {"sfreq": 50, "epoch_s": 2, "source": "store", "root": str(folder), **changes}
    return DataSpec().model_copy(update=settings)


@pytest.mark.parametrize("changes", [{}, {"derivations": ("Fpz-Cz",)}, {"wake_crop_min": None}])
def test_a_store_given_as_data_is_opened_as_it_is(
    store: Store, tmp_path: Path, changes: dict[str, object]
) -> None:
    opened = prepare(of_store(store.folder, **changes), tmp_path / "unused")
    assert opened.folder == store.folder
    assert opened.data_hash == store.data_hash
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize(
    ("key", "asked", "held"),
    [
        ("sfreq", 100.0, "50.0"), ("epoch_s", 30.0, "2.0"), ("normalize", "zscore", "robust"),
        ("derivations", ("Pz-Oz",), "Fpz-Cz"), ("wake_crop_min", 10.0, "None"),
    ],
)  # fmt: skip
def test_a_store_that_was_prepared_otherwise_is_refused(
    store: Store, key: str, asked: object, held: str
) -> None:
    with pytest.raises(UserError, match=rf"data\.{key} is .*prepared with .*{held}"):
        prepare(of_store(store.folder, **{key: asked}))


def test_a_store_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.root is missing"):
        prepare(of_store(tmp_path, root=None))


def _never(*_: object) -> None:
    raise AssertionError("prepared again")


def _prepared_hash(spec: DataSpec, cache: Path) -> str:
    return prepare(spec, cache).data_hash


def _on_a_small_disk(spec: DataSpec, cache: Path, limit: int) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        prepare(spec, cache)
    except UserError as error:
        return str(error)
    return "it was written"
