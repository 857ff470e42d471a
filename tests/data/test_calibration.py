"""The committed calibration is what the script makes of the real table."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.calibration import COLUMNS, as_text, calibrate, main
from sleepsweep.metrics import STAGES

COMMITTED = (files("sleepsweep.data") / "simulated.json").read_text(encoding="utf-8")


def test_the_committed_file_is_reproduced(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "simulated.json"
    assert main([str(shared_data / "sleep-edf/bandpower.parquet"), "--out", str(out)]) == 0
    _same(json.loads(out.read_text(encoding="utf-8")), json.loads(COMMITTED))


def test_the_committed_file_names_its_source() -> None:
    source = json.loads(COMMITTED)["source"]
    for part in ("Kemp et al. 2000", "Sleep-EDF Expanded 1.0.0", "ODC-BY 1.0", "python -m sleeps"):
        assert part in source
    assert as_text(json.loads(COMMITTED)) == COMMITTED


def test_planted_numbers_are_found() -> None:
    found = calibrate(_planted())
    offsets = np.array(found["subject_offset_covariance"])
    np.testing.assert_allclose(np.diag(offsets), 0.25, atol=0.1)
    np.testing.assert_allclose(found["log_power_mean"], _means(), atol=0.2)
    np.testing.assert_allclose(found["log_power_covariance"]["N2"], 0.04 * np.eye(5), atol=0.01)
    np.testing.assert_allclose(found["transitions"], np.roll(np.eye(5), 1, axis=1), atol=1e-9)
    assert found["first_stage"] == [1, 0, 0, 0, 0]


def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("no")
    assert main([str(path)]) == 2
    assert main([str(tmp_path / "missing.parquet")]) == 2
    assert capsys.readouterr().err.count("not a table of band powers") == 2


def _means() -> np.ndarray:
    return -np.arange(25.0).reshape(5, 5) / 5


def _planted() -> pd.DataFrame:
    """Stages that step round W N1 N2 N3 R, with an unscored epoch and a gap that do not count."""
    generator = np.random.default_rng(0)
    frames = []
    for subject in range(60):
        stages = np.arange(100) % len(STAGES)
        powers = _means()[stages] + generator.normal(0, 0.5, 5) + generator.normal(0, 0.2, (100, 5))
        frame = pd.DataFrame(powers, columns=COLUMNS)
        onsets = 30.0 * np.arange(100) + np.where(np.arange(100) > 70, 60.0, 0.0)
        stages[50] = -100
        frames.append(frame.assign(subject=subject, night=1, onset_s=onsets, stage=stages))
    return pd.concat(frames, ignore_index=True)


def _same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for key in expected:
            _same(found[key], expected[key])
    elif isinstance(expected, str) or isinstance(expected[0], str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, atol=1.5e-5)
