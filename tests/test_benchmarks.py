"""The benchmarks run; what they measure is not asserted here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_store_is_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.store", "--epochs", "2500", "--nights", "1", "2"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *table, line = run.stdout.splitlines()
    assert len(table) == 12
    assert all(row.startswith("| ") and row.endswith(" |") for row in table[2:])
    results = json.loads(line)
    assert {"open", "verify", "two", "import_1", "import_2"} < set(results)
    # What two processes read of a file is there once.
    one = results["two"][0]
    assert one["proportional_more_mib"] < one["own_more_mib"] + one["of_files_more_mib"]
