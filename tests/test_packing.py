"""How many trials at once are best, measured with real processes on this machine's processors."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from sleepsweep import packing
from sleepsweep.errors import UserError
from sleepsweep.packing import Packed, Packing, settled, tune_packing
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec


def measured(*speeds: float, device: str = "cuda") -> Packing:
    found = [Packed(2**place, speed, 500.0) for place, speed in enumerate(speeds)]
    return Packing(device, 80_000, tuple(found))


def test_the_fewest_are_best_than_which_more_are_not_worth_it() -> None:
    assert measured(100, 190, 350, 360).best.trials == 4
    assert measured(100).best.trials == 1
    assert measured(100, 80).best.trials == 1


def test_what_the_yaml_is_given_is_the_share_of_a_gpu_or_the_number_at_once() -> None:
    assert measured(100, 190, 350).resources == {"gpus_per_trial": 0.25}
    assert measured(100, 190, device="cpu").resources == {"concurrent": 2}


def test_of_packs_the_yaml_is_given_the_number_of_trials_in_one() -> None:
    assert replace(measured(100, 190, 350), in_one=True).resources == {"pack": 4}


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
    found = list(packing._measured(together, most, 10_000))
    assert told == asked
    assert [each.trials for each in found] == asked[: len(speeds)]


def test_one_trial_without_room_is_told() -> None:
    with pytest.raises(UserError, match="no room for a single trial"):
        list(packing._measured(fake([], 10)[1], 4, 10_000))


def test_a_pack_is_measured_where_auto_wants_one_and_there_is_a_gpu(
    sweep: Callable[..., SweepSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(plan: Plan) -> Packing:
        raise AssertionError

    monkeypatch.setattr(packing, "tune_pack", never)
    for resources in ({"pack": "auto"}, {"pack": 3, "gpus_per_trial": 1.0}):
        plan = make_plan(sweep(resources=resources))
        assert settled(plan) == (plan, None)
    plan = make_plan(sweep(resources={"pack": "auto", "gpus_per_trial": 1.0}))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="auto, which is measured, and this machine has no GPU"):
        settled(plan)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(packing, "tune_pack", lambda _: replace(found, in_one=True))
    found = measured(100, 190, 350)
    chosen, told = settled(plan)
    assert chosen.spec.resources.members == 4
    assert told is not None
    assert told.best.samples_per_s == 350


@pytest.mark.slow
def test_a_pack_of_two_is_measured_really(sweep: Callable[..., SweepSpec]) -> None:
    task, _ = packing._task(make_plan(sweep()), "cpu")
    found = packing._in_one(task, 2)
    assert found.trials == 2
    assert found.samples_per_s > 0
    assert found.memory_mib > 50


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


def test_a_process_that_fails_ends_the_measurement_with_its_error(
    sweep: Callable[..., SweepSpec],
) -> None:
    plan = make_plan(sweep())
    trial = next(slot.trial for slot in plan.slots if slot.trial is not None)
    other = trial.changed(data_hash="0" * 12, train=("nobody",))
    task = packing.Task((other,), plan.store, "cpu", 1, 0.0)
    with pytest.raises(Exception, match="nobody"):
        packing.together_by_processes(task, 2)
