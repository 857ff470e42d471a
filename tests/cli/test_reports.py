"""The report's command: on files, on experiments, on several sweeps; what it refuses."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import observed
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep_analysis import load

Run = Callable[..., subprocess.CompletedProcess[str]]

ROWS = """macro_f1,augmentations,seed,selected_on,remark
60.0,none,1,validation,a
61.2,TimeReverse,1,validation,b
63.1,SignFlip,1,validation,c
62.5,SignFlip+TimeReverse,1,validation,d
59.0,none,2,validation,e
60.7,TimeReverse,2,validation,f
62.0,SignFlip,2,validation,g
62.9,SignFlip+TimeReverse,2,validation,h
62.7,SignFlip+TimeReverse,2,validation,i
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(ROWS)
    return tmp_path


def test_a_file_of_results_is_reported_beside_the_current_folder(
    command_line: Run, here: Path
) -> None:
    ended = command_line("report", "mine.csv")
    assert ended.returncode == 0, ended.stderr
    assert (here / "mine-report" / "index.html").is_file()
    said = " ".join(ended.stdout.split())
    assert "mine-report/index.html" in said
    assert "Columns that were not used: remark." in said
    assert "temporal" in said  # the category of an alias of ours
    assert "run again: averaged into one row" in said
    assert "Not claimed: means of raw scores; which policy is best" in said


def test_the_folder_of_the_report_can_be_given(command_line: Run, here: Path) -> None:
    ended = command_line("report", "mine.csv", "--out", "deep/er", "--quiet")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert (here / "deep" / "er" / "index.html").is_file()


def test_a_folder_of_tables_without_its_sweep_is_reported(command_line: Run, here: Path) -> None:
    (here / "tables").mkdir()
    load(here / "mine.csv").write(here / "tables")
    ended = command_line("report", "tables")
    assert ended.returncode == 0, ended.stderr
    assert (here / "tables" / "report" / "index.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.csv"], "none.csv"),
        (["mine.csv", "other.csv"], "--compare"),
        (["mine.csv", "--compare"], "two or more"),
        (["mine.csv", "--out", "mine.csv/x"], "is a file"),
        (["broken.csv"], "columns missing: macro_f1"),
        (["thin.csv"], "Run more trials"),
        (["name", "--tracking-uri", "sqlite:///none.db"], "none.db: no such file"),
        (["name", "--tracking-uri", "ftp://nowhere"], "does not answer"),
    ],
)
def test_mistakes_end_with_one_message_and_nothing_written(
    command_line: Run, here: Path, arguments: list[str], says: str
) -> None:
    (here / "broken.csv").write_text("score,policy\n1,A\n")
    (here / "thin.csv").write_text("macro_f1,augmentations\n0.5,A\n")
    before = set(here.rglob("*"))
    ended = command_line("report", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("sleepsweep: ")
    assert says in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert set(here.rglob("*")) == before


@pytest.fixture
def recorded(sweep: Callable[..., SweepSpec], tmp_path: Path) -> Path:
    """The folder of a sweep whose trials have ended, with no checkpoints and no tables."""
    search = {"trials": 0, "anchors": 0.0, "designs": ["none", "singles"]}
    plan, folder = make_plan(sweep(search=search)), SweepFolder(tmp_path / "sweep")
    folder.begin(plan.manifest(), fresh=False)
    trials = [(slot, slot.trial) for slot in plan.slots if slot.trial is not None]
    records = [TrialRecord(slot.order, slot.kind, slot.design, trial) for slot, trial in trials]
    observed.run(records, [folder], rung_s=0)
    return folder.path


def test_with_out_nothing_is_written_into_a_sweep(
    command_line: Run, recorded: Path, tmp_path: Path
) -> None:
    (recorded / "embeddings").mkdir()
    for trial in SweepFolder(recorded).trials():
        drawn = {"embedding": np.eye(8), "stage": np.arange(8) % 5, "subject": np.array(["a"] * 8)}
        np.savez(recorded / "embeddings" / f"{trial.path.name}.npz", **drawn)
    before = {path: path.stat().st_mtime_ns for path in recorded.rglob("*")}
    ended = command_line("report", recorded, "--out", tmp_path / "mine")
    assert ended.returncode == 0, ended.stderr
    assert {path: path.stat().st_mtime_ns for path in recorded.rglob("*")} == before
    assert (tmp_path / "mine" / "index.html").is_file()
    assert list((tmp_path / "mine" / "embeddings").glob("*.npz"))
    assert "no embeddings" not in ended.stdout


def test_where_a_sweep_may_only_be_read_it_says_so(
    command_line: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sleepsweep.results.ResultsTable.write", refused)
    ended = command_line("report", recorded)
    assert ended.returncode == 2
    assert f"{recorded}: cannot be written" in ended.stderr
    assert "--out" in ended.stderr
