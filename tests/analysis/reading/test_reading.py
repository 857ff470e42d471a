"""Tables from a sweep and from anywhere: read as they are, or refused in one clear message."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import TRIAL_COLUMNS, TableError
from sleepsweep_analysis import load
from sleepsweep_analysis.reading.columns import COLUMNS, PREFIXED

README = Path(__file__).parents[3] / "analysis" / "README.md"


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_published_results_are_read_as_they_are(shared_data):
    table = load(shared_data / "published.csv")
    raw = pd.read_csv(shared_data / "published.csv")
    np.testing.assert_allclose(100 * table.trials["macro_f1"], raw["macro_f1"])
    assert table.trials["size"].tolist() == raw["size"].tolist()
    assert table.trials["p_sum"].tolist() == raw["p_sum"].tolist()
    assert table.trials["replicates"].tolist() == raw["n_seeds"].tolist()
    assert len(table.study.categories) == 13
    assert len(set(table.study.categories.values())) == 5
    assert table.study.categories["CutoutResize"] == "Masking-Cropping"
    together = table.trials.groupby("block")["seeds"].agg(["nunique", "first"])
    assert together["nunique"].tolist() == [1, 1]
    assert table.unread == ("section",)
    assert "section" in table.notes[0]
    assert set(table.trials["protocol"]) == {"A", "B"}


def test_a_sweep_is_read_from_its_folder_or_one_file(world, sweep, tmp_path):
    table = sweep(world(1), trials=20, blocks=2, seed=1, subjects=2)
    table.write(tmp_path)
    for source in (tmp_path, tmp_path / "trials.parquet", str(tmp_path)):
        again = load(source)
        pd.testing.assert_frame_equal(again.trials, table.trials)
        pd.testing.assert_frame_equal(again.subjects, table.subjects)
        assert again.study == table.study
    alone = tmp_path / "elsewhere" / "some name.parquet"
    alone.parent.mkdir()
    (tmp_path / "trials.parquet").rename(alone)
    again = load(alone)
    pd.testing.assert_frame_equal(again.trials, table.trials)
    assert again.subjects.empty
    assert list(again.subjects) == list(table.subjects)


def test_a_csv_and_a_parquet_file_of_the_same_rows_are_the_same(tmp_path):
    rows = pd.DataFrame(
        {"macro_f1": [0.5, 0.6, np.nan], "on.A": [True, False, True], "on.B": [0, 1, 1],
         "p.A": [0.5, np.nan, 1.0], "seed": [0, 1, 12345678901234], "hp.lr": [0.1, 0.2, 0.3]}
    )  # fmt: skip
    rows.to_csv(tmp_path / "table.csv", index=False)
    rows.to_parquet(tmp_path / "table.parquet")
    one, other = load(tmp_path / "table.csv"), load(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(one.trials, other.trials)
    assert one.trials["policy"].tolist() == ["A(p=0.5)", "B", "A(p=1) + B"]
    assert one.trials["seed"].tolist() == [0, 1, 12345678901234]
    assert one.trials["decision"].tolist() == ["done", "done", "failed"]
    assert one.trials["block"].nunique() == 3
    assert set(one.trials["split"]) == {0}


def test_points_are_told_by_a_value_over_one(tmp_path):
    shares = load(csv(tmp_path, "macro_f1,augmentations\n0.5,A\n1,none\n"))
    assert shares.trials["macro_f1"].tolist() == [0.5, 1.0]
    points = load(csv(tmp_path, "macro_f1,augmentations\n0.5,A\n60,\n"))
    assert points.trials["macro_f1"].tolist() == [0.005, 0.6]
    assert any("points" in note for note in points.notes)


def test_parallel_columns_follow_the_order_of_the_cell(tmp_path):
    text = "macro_f1,augmentations,probabilities,severities\n0.5,A+B,1+0.5,0.1+0.2\n"
    with pytest.raises(TableError, match="row 1, severities: 'x' is no number"):
        load(csv(tmp_path, text.replace("0.1+0.2", "0.1+x")))
    table = load(csv(tmp_path, text + "0.6,B+A,0.25+1,\n"))
    assert table.trials["p.B"].tolist() == [0.5, 0.25]
    assert table.trials["p.A"].tolist() == [1.0, 1.0]
    assert table.trials["p_sum"].tolist() == [1.5, 1.25]
    assert table.trials["severity.B"].tolist()[0] == 0.2
    assert table.trials["policy"].tolist()[1] == "A(p=1) + B(p=0.25)"


def test_rungs_are_the_order_of_the_steps(tmp_path):
    text = "trial,step,macro_f1,augmentations,decision\na,100,.4,A,\na,300,.5,A,\nb,100,.3,B,stop\n"
    trials = load(csv(tmp_path, text)).trials
    assert trials[["rung", "decision"]].to_numpy().tolist() == [
        [0, "continue"], [1, "done"], [0, "stop"],
    ]  # fmt: skip
    with pytest.raises(TableError, match="row 2, trial: a has another policy"):
        load(csv(tmp_path, text.replace("a,300,.5,A", "a,300,.5,B")))


def test_categories_come_from_the_argument_then_from_singles(tmp_path):
    text = "macro_f1,augmentations,group\n.5,A,first\n.5,B,second\n.5,A+C,pairs\n"
    path = csv(tmp_path, text)
    assert load(path).study.categories == {"A": "first", "B": "second", "C": "uncategorised"}
    given = load(path, categories={"A": "mine", "C": "mine", "other": "x"}).study.categories
    assert given == {"A": "mine", "B": "second", "C": "mine"}


def test_gaps_in_a_parquet_file_are_empty_cells(tmp_path):
    rows = pd.DataFrame(
        {"macro_f1": [0.5, 0.6, 0.7], "augmentations": ["A", None, "B"], "seed": [42, np.nan, 42],
         "group": ["g", None, np.nan], "hp.depth": [1, np.inf, 2], "hp.lr": [0.1, np.nan, 0.2]}
    )  # fmt: skip
    rows.to_parquet(tmp_path / "table.parquet")
    table = load(tmp_path / "table.parquet")
    assert table.trials["block"].tolist() == [0, 1, 0]
    assert table.trials["seed"].tolist() == [42, -1, 42]
    assert table.study.categories == {"A": "g", "B": "uncategorised"}
    assert table.trials["hp.depth"].tolist() == ["1", "inf", "2"]
    assert table.trials["hp.lr"].isna().tolist() == [False, True, False]


def test_names_and_texts_are_data(tmp_path):
    evil = "<script>alert(1)</script>,=cmd()|' /C calc'!A0,\\textbf{x} & $y$ %_#"
    text = f'macro_f1,augmentations\n.5,"{evil}"\n.6,__import__(os)\n'
    table = load(csv(tmp_path, text))
    assert list(table.study.categories) == [evil, "__import__(os)"]
    assert table.trials["policy"].tolist() == [evil, "__import__(os)"]


HOSTILE = {
    "empty": ("", "is empty.*macro_f1"),
    "header only": ("macro_f1,augmentations\n", "no rows"),
    "no score": ("f1,augmentations\n.5,A\n", r"missing: macro_f1\..*found: f1, augmentations"),
    "no policy": ("macro_f1,size\n.5,1\n", r"missing: augmentations \(or on.NAME\)"),
    "both": ("macro_f1,augmentations,on.A\n.5,A,1\n", "give one of them"),
    "words for scores": ("macro_f1,augmentations\n.5,A\nhigh,B\n", "row 2, macro_f1: 'high'"),
    "infinite": ("macro_f1,augmentations\ninf,A\n", "not finite"),
    "negative": ("macro_f1,augmentations\n-3,A\n", "row 1.*-3 is neither"),
    "over 100": ("macro_f1,augmentations\n120,A\n", "120 is neither"),
    "size": ("macro_f1,augmentations,size\n.5,A,99999999999999\n", "99999999999999, but the"),
    "size of a float": ("macro_f1,augmentations,size\n.5,A,1.5\n", "no whole number"),
    "too large": (f"macro_f1,augmentations,step\n.5,A,{10**20}\n", "no whole number"),
    "a missing name": ("macro_f1,augmentations\n.5,A+nan\n", "missing name"),
    "twice": ("macro_f1,augmentations\n.5,A+A\n", "twice"),
    "p over one": ("macro_f1,augmentations,probabilities\n.5,A,2\n", "0–1"),
    "too many p": ("macro_f1,augmentations,probabilities\n.5,A,1+1\n", "2 values for 1"),
    "a switch": ("macro_f1,on.A\n.5,perhaps\n", "'perhaps' is neither 1 nor 0"),
    "a kind": ("macro_f1,augmentations,kind\n.5,A,best\n", "not one of design, anchor"),
    "rungs of nobody": ("macro_f1,augmentations,rung\n.5,A,0\n.6,A,1\n", "no column trial"),
    "a long row": ("macro_f1,augmentations\n.5,A,1,2\n", "comma-separated|Length of header"),
    "an open quote": ('macro_f1,augmentations\n.5,"A\n', "comma-separated"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_cannot_be_read_is_said(tmp_path, case):
    text, message = HOSTILE[case]
    path = csv(tmp_path, text)
    with pytest.raises(TableError, match=message) as raised:
        load(path)
    assert str(path) in str(raised.value)


def test_files_that_are_no_tables_are_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("macro_f1,augmentations\n.5,Ä\n".encode("latin-1"))
    with pytest.raises(TableError, match="UTF-8"):
        load(path)
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(TableError, match="not a parquet file"):
        load(path)
    with pytest.raises(TableError, match="no such file"):
        load(tmp_path / "none.csv")
    with pytest.raises(TableError, match=re.escape("trials.parquet")):
        load(tmp_path)


def test_the_readme_documents_the_columns():
    section = README.read_text(encoding="utf-8").split("## Your own table")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    code = {**COLUMNS, **{f"{prefix}NAME": column for prefix, column in PREFIXED.items()}}
    assert documented == [(name, column.kind, column.meaning) for name, column in code.items()]


def test_what_a_sweep_stores_is_known_to_tables_from_elsewhere():
    made = {"sweep", "policy", "last"}  # a table from elsewhere says these in other words
    assert set(TRIAL_COLUMNS) - made <= set(COLUMNS)
