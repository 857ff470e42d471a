import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import make_plan
from sleepsweep.search.pareto import pareto_rows, write_pareto
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.terminal.summary import pareto_table

SOUGHT = ("macro_f1", "time_s")


def ended(
    sweep: Callable[..., SweepSpec], outcomes: list[tuple[str, str, int, float, float]]
) -> list[TrialRecord]:
    """Trials of kind, decision, block, macro-F1 and seconds."""
    space = make_plan(sweep(split={"blocks": 2})).space
    return [
        TrialRecord(order, kind, "", space.trial((), block),  # type: ignore[arg-type]
                    rows=[{"decision": decision, "macro_f1": score, "time_s": seconds}])
        for order, (kind, decision, block, score, seconds) in enumerate(outcomes)
    ]  # fmt: skip


def test_who_is_beaten_in_everything_by_one_of_its_block_is_not_listed(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    outcomes = [
        ("design", "done", 0, 0.5, 10.0),
        ("search", "done", 0, 0.7, 30.0),
        ("search", "done", 0, 0.6, 30.0),  # as slow as the one before, and worse
        ("anchor", "done", 0, 0.5, 11.0),  # as good as the first, and slower
        ("search", "done", 1, 0.1, 99.0),  # the only one of its block
        ("search", "stop", 0, 0.9, 1.0),  # not trained to the end
        ("search", "collapsed", 0, 0.2, 0.1),
        ("confirmation", "done", 1, 0.9, 1.0),  # on test subjects
    ]
    rows = pareto_rows(ended(sweep, outcomes), SOUGHT)
    assert [(row["block"], row["order"]) for row in rows] == [(0, 1), (0, 0), (1, 4)]


def test_equals_are_both_listed(sweep: Callable[..., SweepSpec], store: Store) -> None:
    outcomes = [("search", "done", 0, 0.5, 1.0), ("search", "done", 0, 0.5, 1.0)]
    assert len(pareto_rows(ended(sweep, outcomes), SOUGHT)) == 2


def test_the_list_is_written_and_shown(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path, capsys: Any
) -> None:
    from rich.console import Console

    outcomes = [("search", "done", 0, 0.51 + n / 100, float(n)) for n in range(14)]
    rows = pareto_rows(ended(sweep, outcomes), SOUGHT, ["pretrain.temperature"])
    with write_pareto(rows, tmp_path).open() as handle:
        read = list(csv.DictReader(handle))
    assert [float(row["time_s"]) for row in read] == [float(n) for n in range(13, -1, -1)]
    assert {row["pretrain.temperature"] for row in read} == {"0.1"}
    Console(width=90).print(pareto_table(rows, SOUGHT))
    said = capsys.readouterr().out
    assert "64.0" in said
    assert "13.0 s" in said
    assert "2 more in pareto.csv" in said
