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


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is measured, in that order, where there is room for two members and one process."""
    found: list[tuple[str, int]] = []

    def pack(plan: object, trials: list[object], *rest: object) -> dict[str, object]:
        found.append(("pack", len(trials)))
        if len(trials) > 2:
            raise torch.OutOfMemoryError
        return {}

    def processes(plan: object, trial: object, device: str, count: int) -> dict[str, object]:
        found.append(("processes", count))
        if count > 1:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate")
        return {}

    monkeypatch.setattr(packed, "trials_of", lambda most, batch: (None, [Sized()] * most))
    monkeypatch.setattr(packed, "measure_pack", pack)
    monkeypatch.setattr(packed, "measure_processes", processes)
    return found


def test_what_has_no_room_ends_its_measurement_alone(measured: list[tuple[str, int]]) -> None:
    found = packed.measure([1, 2, 4, 8], 4, 1, 1, "cpu", [1, 8, 16])
    assert found == {"packs": {"1": {}, "2": {}}, "processes": {"1": {}}}
    # Processes first: they need the memory that this one would keep.
    assert measured == [
        ("processes", 1), ("processes", 8), ("pack", 1), ("pack", 2), ("pack", 4)
    ]  # fmt: skip


def test_another_error_is_raised() -> None:
    def wrong(count: int) -> dict[str, object]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        packed.until_full(wrong, [1])
