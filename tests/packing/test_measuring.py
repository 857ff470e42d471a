"""Trials at once are measured until more make no sense: with real processes on a processor here."""

from collections.abc import Callable

import pytest
import torch

from sleepsweep.errors import UserError
from sleepsweep.packing import measuring
from sleepsweep.packing.measuring import settled, tune_packing
from sleepsweep.packing.packing import Packed, Packing
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec

Together = Callable[[int], Packed]


def fake(speeds: list[float], memory_mib: float) -> tuple[list[int], Together]:
    asked: list[int] = []

    def together(trials: int) -> Packed:
        asked.append(trials)
        if len(asked) > len(speeds):
            raise torch.OutOfMemoryError
        return Packed(trials, speeds[len(asked) - 1], memory_mib)

    return asked, together


@pytest.mark.parametrize(
    ("speeds", "memory_mib", "most", "asked"),
    [
        ([100, 200, 300, 400], 100, 4, [1, 2, 4]),  # as many as there are processors for
        ([100, 200, 201, 900], 100, 64, [1, 2, 4]),  # more at once are no faster
        ([100, 200, 300, 400], 2300, 64, [1, 2]),  # four would have no room
        ([100, 200], 10, 64, [1, 2, 4]),  # four had no room, against all expectation
    ],
)
def test_it_measures_on_until_more_make_no_sense(
    speeds: list[float], memory_mib: float, most: int, asked: list[int]
) -> None:
    told, together = fake(speeds, memory_mib)
    found = list(measuring._measured(together, most, 10_000))
    assert told == asked
    assert [each.trials for each in found] == asked[: len(speeds)]


def test_one_trial_without_room_is_told() -> None:
    with pytest.raises(UserError, match="no room for a single trial"):
        list(measuring._measured(fake([], 10)[1], 4, 10_000))


def test_a_pack_is_measured_where_auto_wants_one_and_there_is_a_gpu(
    sweep: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(plan: Plan) -> Packing:
        raise AssertionError

    monkeypatch.setattr(measuring, "tune_pack", never)
    for resources in ({"pack": "auto"}, {"pack": 3, "gpus_per_trial": 1.0}):
        plan = make_plan(sweep(resources=resources))
        assert settled(plan) == (plan, None)
    plan = make_plan(sweep(resources={"pack": "auto", "gpus_per_trial": 1.0}))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="auto, which is measured, and this machine has no GPU"):
        settled(plan)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    speeds = Packed(1, 100, 500.0), Packed(2, 190, 500.0), Packed(4, 350, 500.0)
    found = Packing("cuda", 80_000, speeds, in_one=True)
    monkeypatch.setattr(measuring, "tune_pack", lambda _: found)
    chosen, told = settled(plan)
    assert chosen.spec.resources.members == 4
    assert told is not None
    assert told.best.samples_per_s == 350


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_two_processes_at_once_are_measured_really(sweep: Callable[..., SweepSpec]) -> None:
    plan = make_plan(sweep())
    found = tune_packing(plan)
    assert found.device == "cpu"
    assert [each.trials for each in found.measured][:1] == [1]
    assert all(each.samples_per_s > 0 for each in found.measured)
    # A process with torch in it, and not the machine's whole memory.
    assert all(50 < each.memory_mib < found.memory_mib / 4 for each in found.measured)
