"""What is asked of speed: the documentation's table, and nothing twice as slow as it says."""

import json

import pytest

from benchmarks import performance
from benchmarks.asked import ASKED, Asked, Point
from benchmarks.performance import Measured

MOST = Point("time", 2.0, lambda found: found["s"], " s")
LEAST = Point("speed", 2.0, lambda found: found["times"], least=True)
FOUND = {"s": 1.5, "times": 1}
QUICK = [name for name, asked in ASKED.items() if asked.quick is not None]


def test_a_point_says_what_was_asked_and_whether_it_was_reached() -> None:
    assert (MOST.limit, LEAST.limit) == ("at most 2 s", "at least 2")
    assert [MOST.verdict({"s": s}) for s in (1.9, 2.1)] == ["reached", "**not reached**"]
    assert [LEAST.verdict({"times": t}) for t in (2.1, 1.9)] == ["reached", "**not reached**"]


def test_twice_as_bad_as_before_is_a_regression_unless_it_is_what_was_asked() -> None:
    assert [MOST.holds({"s": s}, {"s": 3.0}) for s in (5.9, 6.1)] == [True, False]
    assert MOST.holds({"s": 1.9}, {"s": 0.1})
    assert [LEAST.holds({"times": t}, {"times": 3.0}) for t in (1.6, 1.4)] == [True, False]
    assert LEAST.holds({"times": 2.1}, {"times": 9.0})


def test_a_page_is_written_between_its_marks_and_nowhere_else() -> None:
    page = f"before\n{performance.BEGIN}\nold\n{performance.END}\nafter\n"
    written = performance.written_into(page, "new")
    assert written == f"before\n{performance.BEGIN}\n\nnew\n\n{performance.END}\nafter\n"
    assert performance.written_into(written, "new") == written


def test_the_table_has_what_was_asked_and_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(performance, "ASKED", {"some": Asked([], [MOST, LEAST])})
    measured = Measured("python -m benchmarks.some", "abc", 90, "| its | table |", FOUND)
    text = performance.markdown({"python": "3"}, {"some": measured})
    assert "| time | at most 2 s | 1.5 s | reached |" in text
    assert "| speed | at least 2 | 1 | **not reached** |" in text
    assert "`python -m benchmarks.some`, 90 s at abc\n\n| its | table |" in text


def test_the_documentation_is_what_was_measured() -> None:
    here = json.loads(performance.FIGURES.read_text())["machine"]
    measured = performance.documented()
    assert list(measured) == list(ASKED)
    page = performance.PAGE.read_text()
    assert page == performance.written_into(page, performance.markdown(here, measured))


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_twice_as_slow_as_documented(name: str) -> None:
    asked, before = ASKED[name], performance.documented()[name].figures
    now = Measured.by(name, asked.quick or ()).figures
    for point in asked.points:
        if point.quick:
            assert point.holds(now, before), (point.what, point.of(now), point.of(before))
