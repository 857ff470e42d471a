"""The committed calibration is what the script makes of the real table."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.simulation.calibration import (
    COMMITTED,
    FEATURES,
    Calibration,
    committed,
    main,
    scored_epochs,
)


def test_the_committed_file_is_reproduced(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "calibration.json"
    assert main([str(shared_data / "sleep-edf/bandpower.parquet"), "--out", str(out)]) == 0
    found = Calibration.from_text(out.read_text(encoding="utf-8"))
    for model in ("hypnogram", "powers"):
        for name, values in vars(getattr(committed(), model)).items():
            np.testing.assert_allclose(getattr(getattr(found, model), name), values, atol=2e-4)


def test_the_committed_file_names_its_source_and_is_small() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    for part in ("Kemp et al. 2000", "Sleep-EDF Expanded 1.0.0", "ODC-BY 1.0", "python -m sleeps"):
        assert part in json.loads(text)["source"]
    assert committed().as_text() == text
    assert len(text) < 60_000


def test_covariances_are_covariances() -> None:
    powers = committed().powers
    for matrices in (powers.person, powers.night, powers.residual):
        np.testing.assert_allclose(matrices, matrices.transpose(0, 2, 1), atol=1e-9)
        assert np.linalg.eigvalsh(matrices).min() > -1e-3  # zero, rounded


def test_unscored_epochs_are_left_out_and_nights_put_in_order() -> None:
    columns = {"subject": [1, 0, 0], "night": [1, 1, 1], "onset_s": [0.0, 30.0, 0.0]}
    table = pd.DataFrame({**columns, "stage": [2, 1, -100]})
    assert scored_epochs(table)["subject"].tolist() == [0, 1]


def test_a_file_that_is_no_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("no")
    assert main([str(path)]) == 2
    assert main([str(tmp_path / "missing.parquet")]) == 2
    pd.DataFrame({"subject": [1]}).to_parquet(path)
    assert main([str(path)]) == 2
    assert capsys.readouterr().err.count("not a table of band powers") == 3
    assert len(FEATURES) == 15
