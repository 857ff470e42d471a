"""The benchmark of the analysis runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.analysis import TABLES
from sleepsweep_analysis import Analysis

ROOT = Path(__file__).parents[2]


def test_the_tables_that_are_timed_exist():
    assert all(hasattr(Analysis, name) for name in TABLES)


@pytest.mark.slow
def test_a_size_is_measured_in_one_row():
    command = [sys.executable, "-m", "benchmarks.analysis", "--trials", "40"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    cells = run.stdout.strip().strip("|").split("|")
    assert cells[0].strip() == "40 × 3"
    assert all(float(cell) > 0 for cell in cells[1:])
