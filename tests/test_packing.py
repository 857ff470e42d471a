"""How many trials at once are best, measured with real processes on this machine's processors."""

from collections.abc import Callable

import pytest
import torch

from sleepsweep import packing
from sleepsweep.errors import UserError
from sleepsweep.packing import Packed, Packing, tune_packing
from sleepsweep.plan import make_plan
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


def fake(monkeypatch: pytest.MonkeyPatch, speeds: list[float], memory_mib: float) -> list[int]:
    asked = []

    def together(task: object, trials: int) -> Packed:
        asked.append(trials)
        if len(asked) > len(speeds):
            raise torch.OutOfMemoryError
        return Packed(trials, speeds[len(asked) - 1], memory_mib)

    monkeypatch.setattr(packing, "_together", together)
    return asked


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
    speeds: list[float], memory_mib: float, most: int, asked: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    told = fake(monkeypatch, speeds, memory_mib)
    found = list(packing._measured(None, most, 10_000))  # type: ignore[arg-type]
    assert told == asked
    assert [each.trials for each in found] == asked[: len(speeds)]


def test_one_trial_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, [], 10)
    with pytest.raises(UserError, match="no room for a single trial"):
        list(packing._measured(None, 4, 10_000))  # type: ignore[arg-type]


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
    task = packing._Task(other, plan.store, "cpu", 1, 0.0)
    with pytest.raises(Exception, match="nobody"):
        packing._together(task, 2)
