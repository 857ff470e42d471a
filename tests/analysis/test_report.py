"""The page: complete, offline, inert whatever the names are, and honest about thin tables."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import ResultsTable, StudyInfo, TableError
from sleepsweep_analysis import analyse, compare, load, report
from sleepsweep_analysis.words import verdict

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def small(world, sweep) -> ResultsTable:
    return sweep(world(1), trials=30, blocks=3, seed=1, subjects=5)


def test_a_sweep_folder_becomes_a_report(small, tmp_path):
    small.write(tmp_path)
    page = report(analyse(load(tmp_path)), tmp_path / "report")
    assert page == tmp_path / "report" / "index.html"
    assert page.stat().st_size < 8_000_000
    sections = [a["id"] for tag, a in Page(page.read_text()).tags if tag == "section"]
    assert len(sections) == 16
    names = {path.stem for path in (page.parent / "tables").glob("*.csv")}
    assert {"effects", "categories", "size_curve", "interactions", "crosschecks"} <= names
    assert len(pd.read_csv(page.parent / "tables" / "effects.csv")) == 14


def test_a_second_report_replaces_the_first(small, tmp_path):
    analysis = analyse(small)
    assert report(analysis, tmp_path).read_bytes() == report(analysis, tmp_path).read_bytes()


def test_the_verdict_has_at_most_six_sentences(small):
    sentences = verdict(analyse(small))
    assert 3 <= len(sentences) <= 6
    assert sentences[-1].startswith("Run next:")


def test_two_sweeps_are_compared(small, world, sweep, tmp_path):
    other = sweep(world(2), trials=30, blocks=3, seed=2)
    text = compare([analyse(small), analyse(other)], tmp_path).read_text(encoding="utf-8")
    assert "simulated (2) minus simulated (1)" in text


def _renamed(table: ResultsTable, names: dict[str, str]) -> ResultsTable:
    columns = {f"{p}.{a}": f"{p}.{b}" for a, b in names.items() for p in ("on", "severity", "p")}
    pool = {names.get(name, name): EVIL for name in table.study.categories}
    texts = {"name": EVIL, "question": EVIL, "data": EVIL, "command": EVIL}
    trials = table.trials.rename(columns=columns).assign(policy=EVIL, host=EVIL, stop_rule=EVIL)
    return replace(table, trials=trials, study=replace(table.study, categories=pool, **texts))


def test_names_are_inert(small, tmp_path):
    evil = _renamed(small, {"SignFlip": EVIL, "TimeWarping": '"><b>x</b>&{{ 7*7 }}'})
    text = report(analyse(evil), tmp_path).read_text(encoding="utf-8")
    tags = Page(text).tags
    assert sum(tag == "script" for tag, _ in tags) == 5
    assert not [tag for tag, attributes in tags if tag == "img" or "onerror" in attributes]
    assert EVIL not in text
    assert "{{ 7*7 }}" in text


def _hostile(small: ResultsTable, kind: str) -> ResultsTable:
    trials, study = small.trials.copy(), small.study
    if kind == "equal scores":
        trials["macro_f1"] = 0.6
    if kind == "one rung":
        trials = trials[trials["rung"] == 3]
    if kind == "one block":
        trials[["block", "split"]] = 0
    if kind == "never used":
        trials = trials[~trials["on.SignFlip"]]
    if kind == "always used":
        trials["on.SignFlip"] = True
    if kind == "one size":
        trials = trials[trials["size"] == 1]
    if kind == "one augmentation":
        study = replace(study, categories={"SignFlip": "amplitude"}, sizes=(0, 1))
    if kind == "failed":
        trials.loc[trials["order"] == 3, ["macro_f1", "decision"]] = [np.nan, "failed"]
    if kind == "collapsed":
        trials.loc[trials["order"] == 20, ["macro_f1", "decision"]] = [np.nan, "collapsed"]
    if kind == "infinite":
        trials.loc[trials["order"] == 20, "time_s"] = np.inf
    if kind == "no sizes given":
        study = replace(study, sizes=(0, 0))
    return replace(small, trials=trials, study=study)


@pytest.mark.parametrize(
    "kind",
    ["equal scores", "one rung", "one block", "never used", "always used",
     "one size", "one augmentation", "failed", "collapsed", "infinite", "no sizes given"],
)  # fmt: skip
def test_a_thin_or_broken_table_gives_a_report(small, tmp_path, kind):
    analysis = analyse(_hostile(small, kind))
    numbers = analysis.effects[["effect", "low", "high", "p_holm"]].to_numpy()
    assert np.isfinite(numbers).all()
    assert report(analysis, tmp_path).stat().st_size > 1_000_000


def test_equal_scores_are_not_called_better(small):
    frame = analyse(_hostile(small, "equal scores")).effects
    assert not frame["verdict"].isin(["better", "worse"]).any()


def test_collapsed_trials_without_a_score_count_at_chance(small):
    analysis = analyse(_hostile(small, "collapsed"))
    rows = analysis.chosen.rows
    chance = rows.loc[rows["decision"] == "collapsed", "points"]
    assert 5 < chance.iloc[0] < 20
    assert "collapsed" in analysis.check("COLLAPSED").sentence


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda t: t[t["order"] == 20], "at least 3"),
        (lambda t: t[t["order"] < 0], "no trial has a score"),
        (lambda t: t.assign(macro_f1=np.nan, decision="failed"), "no trial has a score"),
        (lambda t: t[t["size"] == 0], "no policy contains"),
        (lambda t: t.assign(macro_f1=60.0), "0–1"),
        (lambda t: t.drop(columns="on.SignFlip"), "on.SignFlip"),
        (lambda t: t[t["rung"] < 3], r"no trial has reached the last rung \(step 6,750\)"),
    ],
)
def test_too_little_is_said_clearly(small, cut, message):
    with pytest.raises(TableError, match=message):
        analyse(replace(small, trials=cut(small.trials)))


def test_no_pool_is_said_clearly(small):
    with pytest.raises(TableError, match="no augmentations"):
        analyse(replace(small, study=StudyInfo(name="empty")))


def test_the_folder_is_named_when_it_holds_no_table(tmp_path):
    with pytest.raises(TableError, match=re.escape("trials.parquet")):
        load(tmp_path)
