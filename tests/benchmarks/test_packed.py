"""The benchmark of packs runs from end to end, at a size at which its numbers say nothing."""

import pytest
import torch

from benchmarks import packed


def test_every_program_is_measured() -> None:
    results = packed.measure([1, 2], 4, 1, 1, "cpu", [])
    assert list(results["packs"]) == ["1", "2"]
    for programs in results["packs"].values():
        assert tuple(programs) == packed.PROGRAMS
        assert programs["one after the other"]["times_as_fast"] == 1.0
        assert all(value > 0 for each in programs.values() for value in each.values())
    table = packed.markdown(results).splitlines()
    assert len(table) == 2 + 2 * 3


class Sized:
    size = 1


@pytest.mark.slow
def test_processes_that_share_a_device_are_measured() -> None:
    plan, (trial,) = packed.trials_of(1, 4)
    found = packed.measure_processes(plan, trial, "cpu", 2)
    assert found["trials_an_hour"] == pytest.approx(1.8 / found["step_s"])
    shared = packed.markdown({"packs": {}, "processes": {"2": found}})
    assert shared.splitlines()[-1].startswith("| 2 |")


def test_members_without_room_end_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(plan: object, trials: list[object], *rest: object) -> dict[str, object]:
        if len(trials) > 2:
            raise torch.OutOfMemoryError
        return {}

    monkeypatch.setattr(packed, "trials_of", lambda most, batch: (None, [Sized()] * most))
    monkeypatch.setattr(packed, "measure_pack", full)
    assert packed.measure([1, 2, 4, 8], 4, 1, 1, "cpu", []) == {
        "packs": {"1": {}, "2": {}}, "processes": {}
    }  # fmt: skip
