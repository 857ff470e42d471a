"""The command predict: a night, a folder of them, and all that it refuses with status 2."""

import json
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from sleepsweep.model import Model

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_night_is_staged_written_and_compared(
    command_line: Run, model_file: Path, night: Path, hypnogram: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "hypnogram.csv"
    ended = command_line("predict", model_file, night, "-o", out, "--compare", hypnogram)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert len(pd.read_csv(out)) == 24
    for said in ("P07.edf, Fpz-Cz", "22:45 to 22:57", "Cohen’s κ", "22 epochs", "no interval"):
        assert said in " ".join(ended.stdout.split())
    assert str(out) in "".join(ended.stdout.split())  # a long path stands in several lines
    assert [path.name for path in out.parent.iterdir()] == ["hypnogram.csv"]


def test_without_an_output_it_tells_and_writes_nothing(
    command_line: Run, model_file: Path, night: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    ended = command_line("predict", model_file, night, "--derivation", "C3-A2")
    assert ended.returncode == 0
    assert "P07.edf, C3-A2" in ended.stdout
    assert sorted(tmp_path.rglob("*")) == before
    assert command_line("predict", model_file, night, "--quiet").stdout == ""


def test_json_is_a_line_a_night(
    command_line: Run, model_file: Path, write_night: Callable[..., Path], tmp_path: Path
) -> None:
    for name in ("a.edf", "b/c.edf"):
        write_night(tmp_path / "nights" / name, seed=len(name))
    out = tmp_path / "out"
    ended = command_line("predict", model_file, tmp_path / "nights", "-o", out, "--json")
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [Path(line["night"]).name for line in told] == ["a.edf", "c.edf"]
    assert [file for line in told for file in line["files"]] == [
        str(out / f"{stem}.hypnogram{ending}")
        for stem in ("a", "b/c") for ending in (".csv", ".edf", ".html", ".png")
    ]  # fmt: skip
    assert all(Path(file).stat().st_size for line in told for file in line["files"])
    again = command_line("predict", model_file, tmp_path / "nights", "-o", tmp_path / "nights")
    assert again.returncode == 0
    assert len(list((tmp_path / "nights").rglob("*.edf"))) == 4
    twice = command_line("predict", model_file, tmp_path / "nights", "--json")
    assert len(twice.stdout.splitlines()) == 2


def test_of_a_folder_one_bad_night_does_not_keep_the_others(
    command_line: Run, model_file: Path, write_night: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "nights"
    write_night(folder / "a.edf")
    write_night(folder / "b.edf", epochs=3)
    (folder / "c.edf").write_bytes(b"no recording")
    write_night(folder / "d.edf", seed=4)
    ended = command_line("predict", model_file, folder, "-o", tmp_path / "out", "--json")
    assert ended.returncode == 2
    assert len(ended.stdout.splitlines()) == 2
    assert "b.edf" in ended.stderr
    assert "c.edf" in ended.stderr
    assert {path.name[0] for path in (tmp_path / "out").iterdir()} == {"a", "d"}


def bomb(folder: Path) -> Any:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(folder / "exploded"),)

    return Bomb()


def test_what_cannot_be_used_ends_with_status_2_and_nothing_written(
    command_line: Run, model: Callable[..., Model], model_file: Path, night: Path,
    write_night: Callable[..., Path], hypnogram: Path, tmp_path: Path,
) -> None:  # fmt: skip
    encoder, wide, pickled, saved = (tmp_path / f"{n}.safetensors" for n in range(4))
    whole = model()
    Model(whole.about.model_copy(update={"classifier": None}), whole.encoder).save(encoder)
    model(derivations=("Fpz-Cz", "C3-A2")).save(wide)
    pickled.write_bytes(pickle.dumps(bomb(tmp_path)))
    torch.save({"about": bomb(tmp_path)}, saved)
    short = write_night(tmp_path / "short.edf", epochs=5)
    text = tmp_path / "text.edf"
    text.write_text("no recording")
    out = tmp_path / "out.csv"
    cases: dict[str, tuple[object, ...]] = {
        "encoder without a classifier": (encoder, night),
        "the model takes 2 derivations": (wide, night, "--derivation", "C3-A2"),
        "is no safetensors file": (pickled, night),
        "or a damaged one": (saved, night),
        "makes 5 epochs": (model_file, short),
        "is not an EDF": (model_file, text),
        "no such file": (model_file, tmp_path / "none.edf"),
        "holds EEG Fpz-Cz, EEG C3-A2": (model_file, night, "--derivation", "O1"),
        "hypnogram of one night": (model_file, night.parent, "--compare", hypnogram),
        "must not be written over": (model_file, night, "-o", night),
        "what is to be written?": (model_file, night, "-o", tmp_path / "a.pdf"),
    }
    before = sorted(tmp_path.rglob("*"))
    for said, arguments in cases.items():
        ended = command_line("predict", *arguments, *([] if "-o" in arguments else ["-o", out]))
        assert ended.returncode == 2, said
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
        assert sorted(tmp_path.rglob("*")) == before, said


def test_a_file_that_cannot_be_written_ends_with_status_2(
    command_line: Run, model_file: Path, night: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("text")
    for name in ("a.csv", "a.edf", "a.html", "a.png"):
        ended = command_line("predict", model_file, night, "-o", tmp_path / "file" / name)
        assert ended.returncode == 2, name
        assert "cannot be written" in ended.stderr


def test_the_word_ready_is_the_model_that_comes_along(
    command_line: Run, night: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert json.loads(command_line("predict", "ready", night, "--json").stdout)["model"] == "ready"
    (tmp_path / "ready").mkdir()
    ended = command_line("predict", "ready", night, "--json")
    assert ended.returncode == 2
    assert f"mean: {tmp_path / 'ready'} or " in " ".join(ended.stderr.split())
