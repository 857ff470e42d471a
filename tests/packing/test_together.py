"""Trials that are trained together for a measurement, by real processes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sleepsweep.forecast import drawn
from sleepsweep.packing.together import Task, in_one_process, in_processes
from sleepsweep.plan import make_plan
from sleepsweep.spec.sweepspec import SweepSpec


@pytest.fixture
def task(sweep: Callable[..., SweepSpec]) -> Task:
    plan = make_plan(sweep())
    return Task(tuple(trial for _, trial in drawn(plan)), plan.store, "cpu", 1, 0.0)


@pytest.mark.slow
def test_a_pack_of_two_is_measured_really(task: Task) -> None:
    found = in_one_process(task, 2)
    assert found.trials == 2
    assert found.samples_per_s > 0
    assert found.memory_mib > 50


def test_a_process_that_fails_ends_the_measurement_with_its_error(task: Task) -> None:
    nobodys = task.trials[0].changed(data_hash="0" * 12, train=("nobody",))
    with pytest.raises(Exception, match="nobody"):
        in_processes(replace(task, trials=(nobodys,)), 2)
