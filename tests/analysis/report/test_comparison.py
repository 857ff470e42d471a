"""Two sweeps side by side: differences with intervals, agreement, and what only one has."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, spearmanr

from sleepsweep.results import TableError
from sleepsweep_analysis.report import compare
from sleepsweep_analysis.report.comparison.statistics import agreement, differences
from sleepsweep_analysis.words import comparison as words


def effects(values: list[float], se: float = 0.3) -> pd.DataFrame:
    names = [f"A{n}" for n in range(len(values))]
    frame = pd.DataFrame({"augmentation": names, "effect": values, "se": se})
    return frame.assign(low=frame["effect"] - 2 * se, high=frame["effect"] + 2 * se)


def test_differences_are_those_of_independent_estimates():
    first, second = effects([0.0, 1.0, 2.0], 0.3), effects([3.0, 1.0, 2.1], 0.4)
    frame = differences(first, second, "augmentation").set_index("augmentation")
    assert frame.loc["A0", "effect"] == pytest.approx(3.0)
    assert frame["se"].tolist() == pytest.approx([0.5] * 3)
    assert frame.loc["A0", "high"] == pytest.approx(3.0 + norm.ppf(0.975) * 0.5)
    assert frame.loc["A2", "p"] == pytest.approx(2 * norm.sf(0.2))
    assert frame["verdict"].to_dict() == {
        "A0": "higher", "A1": "cannot tell", "A2": "cannot tell",
    }  # fmt: skip


def test_differences_of_a_shared_world_are_rarely_called():
    rng = np.random.default_rng(1)
    called = 0
    for _ in range(200):
        truth = rng.normal(0, 1, 8)
        pair = [effects(list(truth + rng.normal(0, 0.3, 8))) for _ in range(2)]
        called += differences(*pair, "augmentation")["verdict"].isin(["higher", "lower"]).any()
    assert called / 200 < 0.10


def test_agreement_is_spearmans_with_an_interval():
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, 13)
    frame = pd.DataFrame({"first": x, "second": x + rng.normal(0, 0.5, 13)})
    found = agreement(frame)
    assert found.rho == pytest.approx(spearmanr(frame["first"], frame["second"]).statistic)
    assert found.low < found.rho < found.high <= 1
    assert np.isnan(agreement(frame.head(3)).rho)
    assert np.isnan(agreement(frame.assign(second=1.0)).rho)
    assert agreement(pd.DataFrame({"first": x, "second": x})).rho == pytest.approx(1)


@pytest.mark.parametrize(
    ("second", "words_of"),
    [(1, "rank the augmentations alike"), (-1, "in opposite order"), (0, "cannot be told")],
)
def test_agreement_in_words(second, words_of):
    x = np.arange(12.0)
    other = x * second if second else np.array([5, 9, 1, 7, 3, 11, 0, 8, 2, 10, 4, 6.0])
    found = agreement(pd.DataFrame({"first": x, "second": other}))
    assert words_of in words.agreement_finding([found], ["one", "two"], "augmentation")


def test_too_few_shared_names_are_said():
    found = agreement(pd.DataFrame({"first": [1.0], "second": [1.0]}))
    assert "too few" in words.agreement_finding([found], ["one", "two"], "augmentation")


def test_what_only_one_sweep_has():
    one, two = effects([1, 2, 3]), effects([1, 2])
    found = words.only_finding(one, two, "augmentation", "one", "two")
    assert found == "Only in one: A2."
    assert "the same augmentations" in words.only_finding(one, one, "augmentation", "a", "b")


def test_the_page_shows_both(filled, table, tmp_path):
    other = replace(table, study=replace(table.study, name="<b>other</b>"))
    trials = other.trials.assign(batch_size=512)
    page = compare([filled(table, 1), filled(replace(other, trials=trials), 2)], tmp_path)
    text = page.read_text(encoding="utf-8")
    ids = re.findall(r'<section id="([^"]+)"', text)
    assert ids == ["verdicts", "augmentations", "categories", "protocol", "warnings"]
    assert "The sweeps differ in 1 recorded setting: batch size." in text
    assert "<b>other</b>" not in text
    assert text.count('<ul class="lights">') >= 2
    frame = pd.read_csv(tmp_path / "tables" / "augmentation_differences_1.csv")
    assert len(frame) == 14
    assert {"first_low", "second_high", "low", "p_holm"} <= set(frame)
    figures = json.loads(
        re.search(r'<script id="figures"[^>]*>(.*?)</script>', text, re.S).group(1)
    )
    assert len(figures) == 4


def test_three_sweeps_are_each_compared_with_the_first(filled, table, tmp_path):
    page = compare([filled(table, n) for n in (1, 2, 3)], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "simulated (3) minus simulated (1)" in text
    assert "simulated (3) minus simulated (2)" not in text


def test_a_refused_ranking_is_not_compared(filled, table, tmp_path):
    light = replace(filled(table).checks[0], effect="Tied to the batch size.", refuses=("ranking",))
    text = compare([filled(table, 1), filled(table, 2, checks=(light,))], tmp_path).read_text()
    assert "Fewer than two sweeps have effects that could be compared." in text
    assert "Tied to the batch size." in text


def test_one_sweep_is_too_few(filled, table, tmp_path):
    with pytest.raises(TableError, match="two or more"):
        compare([filled(table)], tmp_path)
