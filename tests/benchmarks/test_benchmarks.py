"""The benchmarks run; what they measure is not asserted here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from scipy import stats

from benchmarks import labels

ROOT = Path(__file__).parents[2]


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


def test_paired_differences_have_the_interval_of_students_t() -> None:
    blocks = [{"a": 0.5, "b": 0.4}, {"a": 0.7, "b": 0.5}, {"a": 0.6, "b": 0.45}]
    mean, low, high = labels.difference(blocks, "a", "b")
    expected = stats.ttest_rel([0.5, 0.7, 0.6], [0.4, 0.5, 0.45]).confidence_interval(0.95)
    assert mean == pytest.approx(0.15)
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_every_arm_block_and_difference_is_reported() -> None:
    names = [labels.key(arm, each) for each in labels.FRACTIONS for arm in labels.ARMS]
    text = labels.report([dict.fromkeys(names, 0.5), dict.fromkeys(names, 0.6)])
    assert text.count("\n|") == 1 + len(labels.ARMS) + len(labels.COMPARED) + 3 + 1
    zero = "+0.000 [+0.000, +0.000]"
    assert f"| fine-tuned − from scratch | {zero} | {zero} |" in text
    assert "| probe | 0.550 [-0.085, 1.185] |" in text
