"""How an experiment is told: lines for people, JSON for scripts, and scores at the end."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from sleepsweep.experiment.spec import STAGES
from sleepsweep.scores import Staged
from sleepsweep.terminal.experiment import DOING, StageJson, StageLines, scores_table


@pytest.fixture
def console() -> Console:
    return Console(width=80, record=True, quiet=False, highlight=False, file=None)


def test_a_line_when_a_stage_begins_and_one_for_each_check(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = StageLines(console)
    lines.stage_started("pretrain")
    lines.stage_told("pretrain", 1200, {"loss": 1.23456, "validation_loss": 2.0,
                                        "epochs_per_s": 1234.5})  # fmt: skip
    lines.stage_ended("pretrain", {"ended": "no_improvement", "steps": 1200})
    lines.stage_started("finetune")
    lines.stage_told("finetune", 4, {"loss": math.nan, "macro_f1": 0.5})
    lines.stage_ended("finetune", {"steps": 4})
    assert console.export_text().splitlines() == [
        "Pretraining",
        "  step 1,200: loss 1.235, validation loss 2.000, epochs a second 1234",
        "  ended: no improvement",
        "Fine-tuning",
        "  step 4: loss nan, macro-F1 0.500",
    ]


def test_a_pretraining_that_ran_through_ends_without_a_word(console: Console) -> None:
    StageLines(console).stage_ended("pretrain", {"ended": "complete"})
    assert console.export_text() == ""


def test_every_stage_is_called_something() -> None:
    assert set(DOING) == set(STAGES)


def test_each_line_for_scripts_is_json_that_names_the_experiment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = StageJson('na"me')
    told.stage_started("probe")
    told.stage_told("pretrain", 3, {"loss": math.nan, "epochs_per_s": 12.5})
    told.stage_ended("pretrain", {"ended": "diverged", "loss": math.nan, "steps": 3})
    lines = [json.loads(line, parse_constant=pytest.fail)
             for line in capsys.readouterr().out.splitlines()]  # fmt: skip
    assert lines == [
        {"experiment": 'na"me', "event": "stage", "stage": "probe"},
        {"experiment": 'na"me', "event": "check", "stage": "pretrain", "step": 3, "loss": None,
         "epochs_per_s": 12.5},
        {"experiment": 'na"me', "event": "done", "stage": "pretrain", "ended": "diverged",
         "loss": None, "steps": 3},
    ]  # fmt: skip


def test_what_is_infinite_is_json_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    StageJson("a").stage_told("pretrain", 3, {"loss": math.inf})
    line = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert line["loss"] is None


def staged(subjects: int) -> Staged:
    rows = [(f"s{who}", 1, place, place % 5) for who in range(subjects) for place in range(10)]
    labels = pd.DataFrame(rows, columns=["subject", "night", "position", "stage"])
    told = labels["stage"].to_numpy().astype(np.int8).copy()
    told[3] = 0
    return Staged(labels, told)


def test_scores_are_in_points_with_their_interval(console: Console) -> None:
    console.print(scores_table("Probe, [test]", staged(2).overall()))
    said = console.export_text()
    assert "Probe, [test]" in said
    (line,) = (line for line in said.splitlines() if "accuracy" in line)
    assert line.split() == ["accuracy", "95.0", "31.5", "to", "100.0"]
    assert "macro-F1, subjects’ mean" in said
    assert "κ" in said


def test_of_one_subject_it_is_said_that_there_is_no_interval(console: Console) -> None:
    console.print(scores_table("Probe", staged(1).overall()))
    said = console.export_text()
    assert said.count("none: one subject") == 4
    assert "nan" not in said
