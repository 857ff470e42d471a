"""The page: sixteen sections, offline, small, inert whatever the names are, whole when empty."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import plotly.graph_objects as go
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis import analyse
from sleepsweep_analysis.figures.palette import resolved
from sleepsweep_analysis.report import write
from sleepsweep_analysis.report.sections import SECTIONS, sections_of
from sleepsweep_analysis.warnings import CLAIMS
from sleepsweep_analysis.words import verdict, verdict_pairs

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
IDS = [
    "verdict", "run", "categories", "augmentations", "size", "interactions", "doses",
    "leaderboard", "noise", "fidelity", "subjects", "confusions", "representations",
    "sensitivity", "provenance", "methods",
]  # fmt: skip


class Page(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def written(analysis, folder) -> str:
    return write(analysis, folder).read_text(encoding="utf-8")


def embedded(text: str, key: str):
    return json.loads(re.search(rf'<script id="{key}"[^>]*>(.*?)</script>', text, re.S).group(1))


def test_every_section_is_there_in_order(filled, table, tmp_path):
    text = written(filled(table), tmp_path)
    found = [attributes["id"] for tag, attributes in Page(text).tags if tag == "section"]
    assert found == IDS
    assert [section.id for section in sections_of(filled(table))] == IDS
    links = [a["href"] for tag, a in Page(text).tags if tag == "a" and (a["href"] or "")[0] == "#"]
    assert links[1:] == [f"#{name}" for name in IDS]
    assert len(SECTIONS) == 16


def test_the_page_is_offline_and_small(filled, table, tmp_path):
    text = written(filled(table), tmp_path)
    links = [a for _, tag in Page(text).tags for k, a in tag.items() if k in ("src", "href")]
    assert not [link for link in links if "//" in str(link)]
    assert "default-src 'none'" in text
    assert len(text.encode()) < 8_000_000
    files = {link for link in links if not str(link).startswith("#")}
    assert all((tmp_path / str(name)).is_file() for name in files)


def test_three_thousand_trials_stay_under_eight_megabytes(filled, world, sweep, tmp_path):
    table = sweep(world(1), trials=3000, blocks=6, seed=1)
    text = written(filled(table), tmp_path)
    assert len(text.encode()) < 8_000_000
    assert "With 3,000 trials each of the 300 columns holds about 10 neighbours" in text
    # Repeated runs are one trial of the model, so it has a few less than were launched.
    assert re.search(r"Drawn are 200 of 2,\d{3} trials", text)


def test_every_figure_is_legal_plotly_and_says_what_it_shows(filled, table):
    figures = [figure for section in sections_of(filled(table)) for figure in section.figures]
    assert len({figure.id for figure in figures}) == len(figures) >= 19
    for figure in figures:
        assert all((figure.finding, figure.n, figure.estimand, figure.estimator)), figure.id
        assert figure.finding[-1] == ".", figure.finding
        assert len(figure.frame)
        for panel in figure.panels:
            layout = resolved({**panel.layout, **panel.narrow})
            go.Figure(data=resolved(panel.data), layout=layout)
            assert layout["height"] > 0


def test_each_plot_has_a_place_and_a_name_to_be_read_out(filled, table, tmp_path):
    text = written(filled(table), tmp_path)
    places = {a["id"]: a for _, a in Page(text).tags if a.get("class") == "plot"}
    assert set(places) == set(embedded(text, "figures"))
    assert all(a["role"] == "img" and a["aria-label"] for a in places.values())
    scrolling = [a for _, a in Page(text).tags if a.get("class") == "scroll"]
    assert scrolling
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolling)


def test_the_numbers_travel_inside_the_page_but_for_long_tables(filled, world, sweep, tmp_path):
    text = written(filled(sweep(world(1), trials=900, seed=1)), tmp_path)
    numbers = embedded(text, "numbers")
    assert numbers["effects"]["columns"][0] == "augmentation"
    assert len(numbers["effects"]["rows"]) == 14
    assert "rungs" not in numbers
    assert (tmp_path / "tables" / "rungs.csv").is_file()


def test_empty_tables_give_a_report_that_says_so(hollow, table, tmp_path):
    text = written(hollow(table), tmp_path)
    assert [a["id"] for tag, a in Page(text).tags if tag == "section"] == IDS
    for sentence in (
        "No augmentation was run.", "No size was run.", "so none can be recommended",
        "No trial reached the last rung", "Confusion matrices were not recorded.",
        "No representation was recorded", "No other analysis could be run",
    ):  # fmt: skip
        assert sentence in text, sentence
    assert not re.search(r"\bnan\b", re.sub(r"<script.*?</script>", "", text, flags=re.S), re.I)


def _renamed(table: ResultsTable, names: dict[str, str]) -> ResultsTable:
    columns = {f"{p}.{a}": f"{p}.{b}" for a, b in names.items() for p in ("on", "severity", "p")}
    pool = {names.get(name, name): EVIL for name in table.study.categories}
    texts = {"name": EVIL, "question": EVIL, "data": EVIL, "command": EVIL}
    trials = table.trials.rename(columns=columns).assign(policy=EVIL, host=EVIL, stop_rule=EVIL)
    return replace(table, trials=trials, study=replace(table.study, categories=pool, **texts))


def test_names_are_inert(filled, table, tmp_path):
    names = {"SignFlip": EVIL, "TimeWarping": '"><b>x</b>&{{ 7*7 }}', "Permutation": "a\nb" * 400}
    analysis = filled(_renamed(table, names))
    light = replace(analysis.checks[0], sentence=EVIL, effect=EVIL, refuses=("gain",))
    text = written(filled(analysis.table, checks=(light,)), tmp_path)
    tags = Page(text).tags
    assert sum(tag == "script" for tag, _ in tags) == 5
    assert not [tag for tag, attributes in tags if tag == "img" or "onerror" in attributes]
    assert EVIL not in text
    assert "{{ 7*7 }}" in text
    for panel in embedded(text, "figures").values():
        assert "<img" not in json.dumps(panel)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_refused_claim_is_not_made(filled, table, tmp_path, claim):
    light = replace(filled(table).checks[0], effect="It is tied to the batch size.",
                    refuses=(claim,))  # fmt: skip
    analysis = filled(table, checks=(light,))
    text = written(analysis, tmp_path)
    assert f"Not claimed: {CLAIMS[claim]}." in text
    assert "It is tied to the batch size." in text
    figures = {figure.id for section in sections_of(analysis) for figure in section.figures}
    gone = {
        "ranking": {"categories", "augmentations", "doses", "sensitivity", "stages"},
        "size": {"sizes"}, "interactions": {"interactions"}, "raw": {"category-rungs"},
    }.get(claim, set())  # fmt: skip
    assert not gone & figures
    results = json.loads((tmp_path / "results.json").read_text())
    hidden = {"ranking": "effects", "size": "size_curve", "interactions": "interactions"}
    assert hidden.get(claim) not in results["tables"]


def test_a_refused_ranking_recommends_nothing(filled, hollow, table):
    light = replace(filled(table).checks[0], effect="Protocol and policy move together.",
                    refuses=("ranking", "size"))  # fmt: skip
    unconfirmed = {"confirmation": hollow(table).confirmation, "checks": (light,)}
    pairs = dict(verdict_pairs(filled(table, **unconfirmed)))
    assert pairs["Use"] == (
        "Nothing can be recommended from this table – protocol and policy move together."
    )
    assert pairs["How many"] == "Not claimed, for the same reason."
    assert "helps" not in " ".join(pairs.values())


def test_the_real_analysis_has_the_columns_that_these_tests_make_up(columns, table):
    analysis = analyse(table)
    for name, expected in columns.items():
        assert set(expected) <= set(getattr(analysis, name).columns), name


@pytest.mark.parametrize("seed", range(6))
def test_the_verdict_has_at_most_six_sentences(filled, table, seed):
    sentences = verdict(filled(table, seed))
    assert 4 <= len(sentences) <= 6
    assert sentences[0].startswith("Use: ")
    assert sentences[-1].startswith("Run next: ")
    assert all(sentence.endswith(".") and ". " not in sentence for sentence in sentences)


def test_the_page_says_what_happened_to_the_sweep(filled, table, tmp_path):
    study = replace(table.study, created="2026-11-01", extended=("2026-11-02, from 9 to 12",))
    text = written(filled(replace(table, study=study)), tmp_path)
    assert "2026-11-02, from 9 to 12" in text
    assert re.search(r"Test subjects opened</\w+>\s*<\w+[^>]*>never<", text)
    opened = replace(study, test_opened=("2026-11-03", "2026-11-04"))
    text = written(filled(replace(table, study=opened)), tmp_path / "again")
    assert "2026-11-03, 2026-11-04" in text


def test_the_rungs_are_those_of_the_sweep_and_not_of_what_has_one_only(world, sweep):
    table = sweep(world(1), trials=40, blocks=3, seed=1)
    trials = table.trials
    last = trials[trials["last"] & (trials["decision"] == "done")].head(2)
    others = last.assign(
        trial=["base", "confirmed"], kind=["baseline", "confirmation"], rung=0, block=99,
        selected_on=["validation", "test"],
    )  # fmt: skip
    both = replace(table, trials=pd.concat([trials, others], ignore_index=True))
    frames = [_flow_of(analyse(each)) for each in (table, both)]
    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["step"].is_monotonic_increasing
    assert frames[0]["step"].is_unique


def _flow_of(analysis):
    (section,) = [each for each in sections_of(analysis) if each.id == "run"]
    return next(block.frame for block in section.blocks if getattr(block, "id", "") == "flow")
