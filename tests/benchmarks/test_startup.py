"""The benchmark of start-up: what it reads of a sweep's folder, and a small run."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import startup
from sleepsweep.spec.sweepspec import SweepSpec

ROOT = Path(__file__).parents[2]


def test_the_time_between_trials_is_from_one_ones_end_to_the_next_ones_first_step(
    tmp_path: Path,
) -> None:
    # Seconds since 1970 of the rungs' records, and of training and probing up to the first one.
    trials = {"b": ([8.5, 9.0], 0.25), "a": ([2.0, 5.0, 8.0], 1.5), "begun": ([], 0.0)}
    for name, (recorded, time_s) in trials.items():
        folder = tmp_path / "trials" / name
        folder.mkdir(parents=True)
        rows = [
            {"recorded_ms": 1000 * at, "time_s": time_s + place}
            for place, at in enumerate(recorded)
        ]
        (folder / "rungs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    spans = startup.trained(tmp_path)
    assert spans == [(0.5, 8.0), (8.25, 9.0)]
    assert startup.gaps(spans) == [0.25]
    assert startup.trained(tmp_path / "nowhere") == startup.gaps(spans[:1]) == []


def test_what_a_command_takes_of_the_processor_is_not_what_it_waits() -> None:
    found = startup.seconds_of_command([sys.executable, "-c", "import time; time.sleep(0.5)"])
    assert 0 < found["processor_s"] < found["wall_s"]
    assert found["wall_s"] >= 0.5


def test_a_command_that_fails_is_not_measured() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        startup.seconds_of_command([sys.executable, "-c", "raise SystemExit(2)"])


def test_the_processes_that_a_process_starts_are_counted() -> None:
    work = "import time\nwhile time.process_time() < 0.5: pass\ninput()"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    with subprocess.Popen([sys.executable, "-c", starts], stdin=subprocess.PIPE) as parent:
        process = psutil.Process(parent.pid)
        while startup.processor_seconds(process) < 0.5:
            time.sleep(0.05)
        own = process.cpu_times()
        assert own.user + own.system < 0.4
        parent.communicate(b"\n")


def test_every_point_stands_beside_what_it_should_be() -> None:
    found = {name: {"wall_s": 1.5, "processor_s": 1.25} for name in startup.POINTS}
    del found["gap"]["processor_s"]
    text = startup.markdown({**found, "machine": {"cores": 2, "load": 9.04}})
    assert "| sleepsweep check | 1 | 1.50 | 1.25 |" in text
    assert "| between two trials of a worker | 0.2 | 1.50 | – |" in text
    assert text.endswith("2 cores, on which 9.0 processes ran at once.")


def test_what_is_launched_is_a_search_space_of_one_worker_and_one_step() -> None:
    spec = SweepSpec.model_validate(startup.SPACE)
    assert spec.rungs == (1,)
    assert spec.resources.concurrent == 1
    assert spec.search.trials > 1


@pytest.mark.slow
def test_start_up_is_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.startup", "--repeats", "1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    results = json.loads(run.stdout.splitlines()[-1])
    assert {*startup.POINTS, "machine"} == set(results)
    assert all(results[name]["wall_s"] > 0 for name in startup.POINTS)
    assert results["help"]["processor_s"] < results["first_step"]["processor_s"]
