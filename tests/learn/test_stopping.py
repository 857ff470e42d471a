"""The course of a single pretraining: checks, early stopping, collapse, resuming."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sleepsweep.errors import UserError
from sleepsweep.learn.checkpoint import save_checkpoint
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.learn.rows import Gather
from sleepsweep.learn.stopping import Check, Outcome, run_course

TRAIN, HELD_OUT = np.arange(48), np.arange(48, 80)
Build = Callable[..., Pretraining]
# Stops in the middle: every check improves but the third, which is of the same batches.
EARLY = {"steps": 40, "check_interval": 4, "learning_rate": 1e-2}


class KilledError(Exception):
    """What stands for a kill."""


def course(
    run: Pretraining, gather: Gather, checkpoint: Path | None = None,
    on_check: Callable[[Check], None] = lambda check: None,
) -> Outcome:  # fmt: skip
    return run_course(run, gather, TRAIN, HELD_OUT, checkpoint, on_check)


def weights(run: Pretraining) -> list[torch.Tensor]:
    return [*run.encoder.state_dict().values(), *run.projector.state_dict().values()]


def equal(one: Pretraining, two: Pretraining) -> bool:
    pairs = zip(weights(one), weights(two), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


def untimed(outcome: Outcome) -> Outcome:
    """Leave out what differs from run to run: the clock's and the process's numbers."""
    checks = (replace(check, samples_per_s=0.0, memory_mib=0.0) for check in outcome.checks)
    return replace(outcome, checks=tuple(checks))


def killed_by_gather(gather: Gather, calls: int) -> Gather:
    asked: list[int] = []

    def gathered(rows: Any) -> Any:
        asked.append(len(rows))
        if len(asked) > calls:
            raise KilledError
        return gather(rows)

    return gathered


@pytest.mark.parametrize(("steps", "at"), [(20, list(range(2, 21, 2))), (5, [1, 2, 3, 4, 5]),
                                           (25, [3, 6, 9, 12, 15, 18, 21, 24, 25])])  # fmt: skip
def test_without_an_interval_there_are_ten_checks_at_most_and_the_last_network_is_kept(
    steps: int, at: list[int], pretraining: Build, gather: Gather
) -> None:
    run, alone, heard = pretraining(steps=steps), pretraining(steps=steps), []
    outcome = course(run, gather, on_check=heard.append)
    assert [check.step for check in outcome.checks] == at
    assert list(outcome.checks) == heard
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("complete", steps, steps)
    alone.run(gather, TRAIN, steps)
    assert equal(run, alone)


def test_a_check_says_what_it_found(pretraining: Build, gather: Gather) -> None:
    run = pretraining(steps=1)
    (check,) = course(run, gather).checks
    other = pretraining(steps=1)
    assert check.loss == other.run(gather, TRAIN, 1)
    assert check.validation_loss == other.validation_loss(gather, HELD_OUT)
    assert check.samples_per_s > 0
    assert check.memory_mib > 50  # torch alone is more


def test_it_stops_at_the_first_check_that_does_not_improve_and_keeps_the_best(
    pretraining: Build, gather: Gather
) -> None:
    run = pretraining(**EARLY)
    outcome = course(run, gather)
    losses = [check.validation_loss for check in outcome.checks]
    gains = [before - after for before, after in pairwise(losses)]
    assert outcome.ended == "no_improvement"
    assert all(gain >= 0.005 for gain in gains[:-1])
    assert gains[-1] < 0.005
    assert outcome.steps == 4 * len(losses) < 40
    assert outcome.best_step == 4 * (1 + int(np.argmin(losses)))
    alone = pretraining(**EARLY)
    alone.run(gather, TRAIN, outcome.best_step)
    assert equal(run, alone)
    assert run.validation_loss(gather, HELD_OUT) == min(losses)


def test_the_kept_network_is_not_the_last_when_the_last_is_worse(
    pretraining: Build, gather: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([3.0, 2.0, 2.5])
    monkeypatch.setattr(Pretraining, "validation_loss", lambda *_: next(told))
    run, alone = pretraining(**EARLY), pretraining(**EARLY)
    outcome = course(run, gather)
    assert (outcome.ended, outcome.steps, outcome.best_step) == ("no_improvement", 12, 8)
    alone.run(gather, TRAIN, 8)
    assert equal(run, alone)


@pytest.mark.parametrize(
    ("told", "least", "steps", "best"),
    [
        ([3.0, 2.9, 2.8], 0.25, 8, 8),  # better, but not by enough: it stops, and the best is kept
        ([3.0, 2.75, 2.5, 2.25], 0.25, 16, 16),
        ([3.0, 3.0], 0.0, 16, 4),  # with 0 an equal loss goes on, and is no better
    ],
)
def test_an_improvement_is_measured_against_the_best_check(
    told: list[float], least: float, steps: int, best: int, pretraining: Build, gather: Gather,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    values = iter([*told, *[told[-1]] * 9])
    monkeypatch.setattr(Pretraining, "validation_loss", lambda *_: next(values))
    settings = {"steps": 16, "check_interval": 4, "min_improvement": least}
    outcome = course(pretraining(**settings), gather)
    assert (outcome.steps, outcome.best_step) == (steps, best)


def test_collapse_is_an_outcome(pretraining: Build, gather: Gather) -> None:
    run = pretraining(steps=8, learning_rate=1e-12)
    with torch.no_grad():
        run.encoder.get_parameter("head.0.weight").zero_()
    outcome = course(run, gather)
    assert (outcome.ended, outcome.steps) == ("collapsed", 1)
    assert np.isfinite(outcome.checks[0].validation_loss)


@pytest.mark.parametrize("settings", [{"steps": 40}, EARLY], ids=["ten checks", "early"])
def test_divergence_is_an_outcome_and_keeps_the_best_network_there_was(
    settings: dict[str, Any], pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    run, asked = pretraining(**settings), []

    def broken_later(rows: Any) -> Any:
        asked.append(rows)
        return gather(rows) * (np.nan if run.step >= 6 else 1)

    outcome = course(run, broken_later, tmp_path / "state.pt")
    assert (outcome.ended, outcome.steps) == ("diverged", 8)
    assert np.isnan(outcome.checks[-1].loss)
    early = "check_interval" in settings
    assert outcome.best_step == (4 if early else 8)
    assert all(part.isfinite().all() for part in weights(run)) == early
    again = course(pretraining(**settings), gather, tmp_path / "state.pt")
    assert repr(again) == repr(outcome)  # not a number equals none


@pytest.mark.parametrize("settings", [{"steps": 10}, {**EARLY, "projector": "mlp"}])
@pytest.mark.parametrize("calls", [0, 2, 5, 11, 12, 14])
def test_a_run_that_is_killed_continues_bit_for_bit(
    calls: int, settings: dict[str, Any], pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    whole = pretraining(**settings)
    expected = course(whole, gather)
    path = tmp_path / "state.pt"
    with pytest.raises(KilledError):
        course(pretraining(**settings), killed_by_gather(gather, calls), path)
    torch.rand(10)
    second, heard = pretraining(**settings), []
    outcome = course(second, gather, path, heard.append)
    assert untimed(outcome) == untimed(expected)
    assert list(outcome.checks)[-len(heard) :] == heard
    assert equal(second, whole)


def test_a_run_killed_as_a_check_is_told_does_not_repeat_it(
    pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    def killed(check: Check) -> None:
        raise KilledError

    path, heard = tmp_path / "state.pt", []
    with pytest.raises(KilledError):
        course(pretraining(steps=4), gather, path, killed)
    outcome = course(pretraining(steps=4), gather, path, heard.append)
    assert [check.step for check in heard] == [2, 3, 4]
    assert [check.step for check in outcome.checks] == [1, 2, 3, 4]


def test_what_has_ended_is_told_again_without_a_step(
    pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    path = tmp_path / "state.pt"
    first, second = pretraining(**EARLY), pretraining(**EARLY)
    outcome = course(first, gather, path)
    written = path.read_bytes()
    assert course(second, killed_by_gather(gather, 0), path) == outcome
    assert equal(first, second)
    assert path.read_bytes() == written


def test_a_checkpoint_of_other_settings_is_refused(
    pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    path = tmp_path / "state.pt"
    course(pretraining(steps=2), gather, path)
    with pytest.raises(UserError, match=r"other settings \(schedule, steps\)"):
        course(pretraining(steps=3, schedule="cosine"), gather, path)
    save_checkpoint({"pretraining": {}, "rungs": []}, path)
    with pytest.raises(UserError, match="no checkpoint of a single pretraining"):
        course(pretraining(steps=2), gather, path)
    path.write_text("a text")
    with pytest.raises(UserError, match=r"state\.pt"):
        course(pretraining(steps=2), gather, path)


def test_a_checkpoint_of_another_encoder_is_refused(
    pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    path = tmp_path / "state.pt"
    course(pretraining(steps=2), gather, path)
    other = pretraining(steps=2)
    other.encoder.head = torch.nn.Linear(4, 4)
    with pytest.raises(UserError, match="is of another encoder"):
        course(other, gather, path)
