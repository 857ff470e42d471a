"""The data section of the YAML, and what a path is recognised as."""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.data import source
from sleepsweep.data.edf.described import DescribedSource
from sleepsweep.data.edf.description import Description
from sleepsweep.data.edf.sleep_edf import sleep_edf_source
from sleepsweep.data.npz import NpzSource
from sleepsweep.data.simulation.source import SimulatedSource, SimulatedSpec
from sleepsweep.data.source import ENTRY_POINTS, KINDS, DataSpec
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError

Writer = Callable[..., Path]


def test_the_defaults_are_the_yaml_of_the_documentation() -> None:
    text = {
        "source": "simulated", "root": None, "derivations": None, "sfreq": 100,
        "epoch_s": 30, "normalize": "robust", "wake_crop_min": 30,
        "simulated": {"subjects": 10, "nights": 1},
    }  # fmt: skip
    assert DataSpec.model_validate(text) == DataSpec(wake_crop_min=30)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"source": "sleepedf"},
            r"no source; allowed: simulated, store, sleep-edf, npz, edf, or .*yaml",
        ),
        ({"root": "somewhere"}, "reads no folder.*set source"),
        ({"derivations": ["Fpz-Cz", "EEG fpz-cz"]}, "name every derivation once"),
        ({"derivations": [""]}, "name every derivation once"),
        ({"derivations": []}, "at least 1"),
        ({"sfreq": 33.31, "epoch_s": 1}, "whole number"),
        ({"sfreq": 0}, "greater than 0"),
        ({"sfreq": "100"}, "valid number"),
        ({"normalize": "minmax"}, "'robust', 'zscore' or 'none'"),
        ({"wake_crop_min": -1}, "greater than or equal to 0"),
        ({"wake_crop": 30}, "wake_crop"),
    ],
)
def test_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataSpec.model_validate(wrong)


def test_wake_is_cropped_as_the_source_needs() -> None:
    npz = DataSpec(source="npz", root="folder")
    assert DataSpec().effective_wake_crop_min == 30
    assert npz.effective_wake_crop_min is None
    assert DataSpec(wake_crop_min=5).effective_wake_crop_min == 5
    assert DataSpec(source="npz", wake_crop_min=5).effective_wake_crop_min == 5


def test_build() -> None:
    assert DataSpec().build() == SimulatedSource(SimulatedSpec())
    assert DataSpec(source="npz", root="folder").build() == NpzSource(Path("folder"), 30)
    sleep_edf = DataSpec(source="sleep-edf", root="folder", epoch_s=20, derivations=("Pz-Oz",))
    assert sleep_edf.build() == sleep_edf_source(Path("folder"), 20, ("Pz-Oz",))
    inside = DescribedSource(Path("folder"), Description(epoch_s=20), ())
    assert DataSpec(source="edf", root="folder", epoch_s=20).build() == inside


def test_build_from_a_description_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("root: nights\nderivations: [C3]")
    described = Description(root="nights", derivations=("C3",))
    spec = DataSpec(source=str(path), derivations=("C4", "C3"))
    assert spec.kind == "edf"
    assert spec.effective_wake_crop_min == 30
    assert spec.build() == DescribedSource(tmp_path / "nights", described, ("C4", "C3"))
    moved = spec.model_copy(update={"root": "elsewhere"})
    assert moved.build() == DescribedSource(Path("elsewhere"), described, ("C4", "C3"))


def test_a_folder_source_needs_a_root() -> None:
    for name in (name for name, kind in KINDS.items() if kind.reads_root):
        with pytest.raises(UserError, match=rf"data\.root is missing: source {name}.*--data"):
            DataSpec(source=name).build()


def test_an_npz_holds_one_derivation() -> None:
    with pytest.raises(UserError, match="npz folder holds one derivation"):
        DataSpec(source="npz", root="folder", derivations=("C3", "C4")).build()


@pytest.mark.parametrize("wrong", [{"derivations": ("C3-M2",)}, {"epoch_s": 20.0}])
def test_simulated_nights_are_what_they_are(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="simulated nights hold Fpz-Cz, Pz-Oz, horizontal"):
        DataSpec(**wrong).build()


def test_pointed_at_a_folder_of_npz(write_npz: Writer) -> None:
    folder = write_npz().parent
    spec = DataSpec(normalize="zscore").pointed_at(folder)
    assert (spec.source, spec.root, spec.normalize) == ("npz", str(folder.resolve()), "zscore")
    assert DataSpec(source="npz", root="elsewhere").pointed_at(folder).root == spec.root


def test_pointed_at_a_store(store: Store) -> None:
    spec = DataSpec().pointed_at(store.folder)
    assert (spec.source, spec.root) == ("store", str(store.folder))
    with pytest.raises(UserError, match="is a prepared store, which is used as it is"):
        spec.build()


def test_recordings_beside_an_array_are_no_store(write_npz: Writer) -> None:
    folder = write_npz().parent
    (folder / "epochs.npy").touch()
    assert DataSpec().pointed_at(folder).source == "npz"


def test_pointed_at_sleep_edf(tmp_path: Path) -> None:
    (tmp_path / "sleep-cassette").mkdir()
    (tmp_path / "sleep-cassette" / "SC4001E0-PSG.edf").touch()
    spec = DataSpec().pointed_at(tmp_path)
    assert (spec.source, spec.root) == ("sleep-edf", str(tmp_path.resolve()))


def test_pointed_at_a_description_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").touch()
    spec = DataSpec(source="npz", root="elsewhere").pointed_at(tmp_path / "mine.yaml")
    assert (spec.source, spec.root) == (str((tmp_path / "mine.yaml").resolve()), None)
    # It stays in force when it is pointed at a folder of EDF files.
    (tmp_path / "SC4001E0-PSG.edf").touch()
    moved = spec.pointed_at(tmp_path)
    assert (moved.source, moved.root) == (spec.source, str(tmp_path.resolve()))
    assert DataSpec(source="edf", root="elsewhere").pointed_at(tmp_path).source == "edf"


def test_pointed_at_other_edf_files(tmp_path: Path) -> None:
    (tmp_path / "night.EDF").touch()
    with pytest.raises(
        UserError,
        match=r"(?s)not named as Sleep-EDF.*source: edf, .*--source edf --out STORE.*hypnogram:",
    ):
        DataSpec().pointed_at(tmp_path)


def test_pointed_at_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "sub").mkdir()
    supported = r"Supported: a prepared store, a folder of Sleep-EDF .*npz files, a description"
    with pytest.raises(UserError, match=rf"found 1 × \.csv, 1 folder.*{supported}"):
        DataSpec().pointed_at(tmp_path)
    with pytest.raises(UserError, match=rf"found a \.csv file.*{supported}"):
        DataSpec().pointed_at(tmp_path / "a.csv")
    for nothing in ("nowhere", "nowhere.yaml"):
        with pytest.raises(UserError, match="found nothing"):
            DataSpec().pointed_at(tmp_path / nothing)


def test_pointed_at_pickles(tmp_path: Path) -> None:
    (tmp_path / "a.pickle").touch()
    with pytest.raises(UserError, match=r"can run any code.*np\.savez"):
        DataSpec().pointed_at(tmp_path)


SOURCE_MODULE = """
import numpy as np
from sleepsweep.data.recording import Recording


class Nights:
    def __init__(self, spec):
        self.spec = spec

    def __len__(self):
        return 3

    def fingerprint(self):
        return {"root": self.spec.root}

    def recordings(self):
        for number in range(3):
            draw = np.random.default_rng(number)
            yield Recording(
                subject=f"lab{number}", night=1, sfreq=100.0, channels=("Cz",), unit="uV",
                epochs=draw.standard_normal((6, 1, 3000), dtype=np.float32),
                stages=np.arange(6, dtype=np.int8) % 5, positions=np.arange(6, dtype=np.int32),
                source=f"night {number} of {self.spec.root}",
            )
"""


def test_another_package_brings_its_own_source(tmp_path: Path) -> None:
    package = tmp_path / "site"
    (package / "lab_nights-1.dist-info").mkdir(parents=True)
    (package / "lab_nights.py").write_text(SOURCE_MODULE)
    (package / "lab_nights-1.dist-info/METADATA").write_text("Name: lab-nights\nVersion: 1\n")
    points = "[sleepsweep.sources]\nlab = lab_nights:Nights\n"
    (package / "lab_nights-1.dist-info/entry_points.txt").write_text(points)
    code = (
        "from pathlib import Path\n"
        "from sleepsweep.data.preparation import prepare\n"
        "from sleepsweep.data.source import DataSpec\n"
        "spec = DataSpec(source='lab', root='archive')\n"
        f"print(prepare(spec, Path({str(tmp_path / 'cache')!r})).subjects)"
    )
    environment = {**os.environ, "PYTHONPATH": str(package)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "('lab0', 'lab1', 'lab2')"


def test_a_name_used_twice_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = EntryPoint("npz", "lab_nights:Nights", ENTRY_POINTS)
    monkeypatch.setattr(source, "entry_points", lambda group: [taken])
    with pytest.raises(ValueError, match="'npz' exists already"):
        source._kinds()
