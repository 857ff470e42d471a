import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sleepsweep.results import CONFUSION_CELLS, TRIAL_COLUMNS, ResultsTable, StudyInfo, TableError

STUDY = StudyInfo("s", categories={"SignFlip": "amplitude", "TimeReversal": "temporal"})


def row(trial: str, rung: int, **given: object) -> dict[str, object]:
    defaults = {name: {"str": "", "int64": 0, "bool": False}.get(kind, 0.5)
                for name, kind in TRIAL_COLUMNS.items()}  # fmt: skip
    return {**defaults, "trial": trial, "rung": rung, **given}


def table() -> ResultsTable:
    cells = dict(zip(CONFUSION_CELLS, range(25), strict=True))
    trials = [
        row("b", 0, order=1, **{"on.SignFlip": True, "p.SignFlip": 0.5}),
        row("a", 1, order=0, **{"f1.N1": math.nan}),
        row("a", 0, order=0),
    ]
    return ResultsTable.of_rows(trials, [{"trial": "a", "rung": 1, "subject": "x", **cells}], STUDY)


def test_rows_are_ordered_and_absent_augmentations_are_off() -> None:
    trials = table().trials
    assert trials[["trial", "rung"]].to_numpy().tolist() == [["a", 0], ["a", 1], ["b", 0]]
    assert trials["on.SignFlip"].tolist() == [False, False, True]
    assert trials["on.TimeReversal"].dtype == bool
    assert trials["p.SignFlip"].isna().tolist() == [True, True, False]


def test_written_and_read_again_it_is_the_same(tmp_path: Path) -> None:
    before = table()
    before.write(tmp_path)
    after = ResultsTable.read(tmp_path)
    pd.testing.assert_frame_equal(before.trials, after.trials)
    pd.testing.assert_frame_equal(before.subjects, after.subjects)
    assert after.study == before.study
    assert np.array_equal(after.confusions("a", 1)["x"], np.arange(25).reshape(5, 5))
    assert not list(tmp_path.glob("*.partial"))


def test_columns_of_results_from_elsewhere_are_kept_where_given(tmp_path: Path) -> None:
    rows = [row("a", 0, replicates=3, seeds="42;0;1", protocol="B")]
    ResultsTable.of_rows(rows, [], STUDY).write(tmp_path)
    (tmp_path / "subjects.parquet").unlink()
    alone = ResultsTable.read(tmp_path / "trials.parquet")
    assert alone.trials[["replicates", "seeds", "protocol"]].to_numpy().tolist() == [
        [3, "42;0;1", "B"]
    ]
    assert alone.subjects.empty
    assert "replicates" not in table().trials


def test_subjects_beside_a_file_are_those_of_its_trials(tmp_path: Path) -> None:
    table().write(tmp_path)
    (tmp_path / "trials.parquet").unlink()
    other = ResultsTable.of_rows([row("c", 0)], [], STUDY)
    (tmp_path / "other").mkdir()
    other.write(tmp_path / "other")
    file = (tmp_path / "other" / "trials.parquet").rename(tmp_path / "file.parquet")
    assert ResultsTable.read(file).subjects.empty


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"schema_version": 1, "novel": 0}'])
def test_a_damaged_description_is_said(tmp_path: Path, text: bytes) -> None:
    table().write(tmp_path)
    file = tmp_path / "trials.parquet"
    held = pq.read_table(file)
    pq.write_table(held.replace_schema_metadata({b"sleepsweep": text}), file)
    with pytest.raises(TableError, match="description in it is damaged"):
        ResultsTable.read(tmp_path)


def test_a_missing_file_a_wrong_file_and_a_missing_column_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"trials\.parquet: no such file"):
        ResultsTable.read(tmp_path)
    (tmp_path / "trials.parquet").write_text("no parquet")
    with pytest.raises(TableError, match="not a parquet file"):
        ResultsTable.read(tmp_path)
    table().trials.drop(columns=["policy", "loss"]).to_parquet(tmp_path / "trials.parquet")
    with pytest.raises(TableError, match="columns missing: policy, loss"):
        ResultsTable.read(tmp_path)
