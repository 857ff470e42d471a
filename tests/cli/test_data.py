"""The commands on data as a user meets them."""

import subprocess
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sleepsweep.data.edf.writing import write_hypnogram
from sleepsweep.data.store import Store

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(command_line: Run) -> Run:
    return partial(command_line, "data")


@pytest.fixture
def check(command_line: Run) -> Run:
    return partial(command_line, "check")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sleepsweep.data.simulation.export import write_nights
    from sleepsweep.data.simulation.source import SimulatedSpec

    out = tmp_path_factory.mktemp("cli") / "nights"
    write_nights(SimulatedSpec(subjects=2), out)
    return out


def test_simulated_files_imported_and_described(run: Run, tmp_path: Path) -> None:
    nights, store = tmp_path / "nights", tmp_path / "store"
    assert run("simulate", "--subjects", 1, "--out", nights).returncode == 0
    imported = run("import", nights, "--out", store)
    assert imported.returncode == 0
    assert f"--data {store}" in imported.stdout
    described = run("info", store, "--verify")
    assert described.returncode == 0
    assert "1 subjects, 1 nights" in described.stdout
    assert "SIM000" in described.stdout
    assert "as it was written" in described.stdout


def test_the_options_of_an_import_reach_the_store(run: Run, nights: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    options = ("--derivation", "Pz-Oz", "--derivation", "eog horizontal", "--sfreq", 50)
    imported = run("import", nights, "--out", store, *options, "--normalize", "none")
    assert imported.returncode == 0
    assert "--set data.sfreq=50.0 --set data.normalize=none\n" in imported.stdout
    opened = Store.open(store)
    assert (opened.sfreq, len(opened.channels), opened.subjects) == (50, 2, ("SIM000", "SIM001"))
    assert opened.gather(opened.rows(["SIM000"])).std() > 5  # µV, not sds


def test_simulated_nights_as_a_store(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "store"
    assert run("simulate", "--subjects", 2, "--store", "--out", store).returncode == 0
    assert Store.open(store).subjects == ("SIM000", "SIM001")


def test_a_check_opens_a_store_as_a_launch_would(run: Run, check: Run, tmp_path: Path) -> None:
    store, space = tmp_path / "store", tmp_path / "space.yaml"
    run("simulate", "--subjects", 3, "--store", "--out", store)
    space.write_text("name: a\naugmentations: {size: [0, 1], pool: {SignFlip: {p: 0.5}}}\n")
    valid = check(space, "--data", store)
    assert valid.returncode == 0
    assert "Subjects: train 1, validation 1, test 1." in valid.stdout
    refused = check(space, "--data", store, "--set", "split.folds=9")
    assert refused.returncode == 2
    assert "valid." not in refused.stdout
    assert check(space, "--data", store, "--set", "data.sfreq=50").returncode == 2
    assert "were not read" in check(space).stdout


def test_edf_with_its_annotations_inside_is_named_as_such(run: Run, tmp_path: Path) -> None:
    # A hypnogram's file alone holds annotations, but no signal: told as EDF, that is what is said.
    write_hypnogram(tmp_path / "sub-01_ses-1.edf", np.arange(5), 30, datetime(2020, 1, 1, 22))
    undescribed = run("import", tmp_path, "--out", tmp_path / "store")
    assert undescribed.returncode == 2
    assert "--source edf" in undescribed.stderr
    named = run("import", tmp_path, "--out", tmp_path / "store", "--source", "edf")
    assert named.returncode == 2
    assert "holds no signal" in named.stderr


def test_a_damaged_store_is_found_when_it_is_verified(
    run: Run, nights: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    run("import", nights, "--out", store, "--quiet")
    epochs = np.load(store / "epochs.npy", mmap_mode="r+")
    epochs[5] += 1
    epochs.flush()
    ended = run("info", store, "--verify")
    assert ended.returncode == 2
    assert "SIM000" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "nowhere", "--out", "store"), "no such path"),
        (("import", ".", "--out", "store", "--sfreq", "-1"), "--sfreq"),
        (("import", ".", "--out", "store", "--normalize", "loud"), "--normalize"),
        (("import", ".", "--out", "store"), "found nothing"),
        (("info", "nowhere"), "no such store"),
        (("fetch", "shhs"), "sleep-edf"),
        (("fetch", "sleep-edf", "--subjects", "39"), "no subject 39"),
        (("simulate", "--out", "."), "exists"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_nothing(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ended = run(*arguments)
    assert ended.returncode == 2, ended.stdout
    assert ended.stderr.count("sleepsweep: ") == 1
    assert says in ended.stderr
    assert list(tmp_path.iterdir()) == []
