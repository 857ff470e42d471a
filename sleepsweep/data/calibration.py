"""Estimate how simulated nights must look from a table of real ones.

``python -m sleepsweep.data.calibration bandpower.parquet --out simulated.json`` writes the numbers
that `sleepsweep.data.simulated` draws from. The table has a row an epoch: subject, night, onset_s,
stage (0–4, negative: unscored) and the natural logarithms of five band powers of Fpz-Cz.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES

BANDS_HZ: dict[str, tuple[float, float]] = {
    "delta": (0.5, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 12.0),
    "sigma": (12.0, 16.0),
    "beta": (16.0, 30.0),
}
EPOCH_S = 30.0
COLUMNS = [f"fpz_cz_log_{band}" for band in BANDS_HZ]
SOURCE = (
    "Estimated from the expert stages and Fpz-Cz band powers of 127 nights of 65 subjects of "
    "Sleep-EDF Expanded 1.0.0 (PhysioNet; ODC-BY 1.0): Kemp et al. 2000, IEEE Trans. Biomed. Eng. "
    "47(9):1185–1194; Goldberger et al. 2000, Circulation 101(23):e215. Made by: "
    "python -m sleepsweep.data.calibration bandpower.parquet --out simulated.json"
)

Matrix = NDArray[np.float64]


def calibrate(table: pd.DataFrame) -> dict[str, Any]:
    """Estimate the simulation's numbers, rounded to 5 digits.

    A log band power is modelled as the stage's mean + the subject's offset + a residual. An offset
    is the mean over stages of (the subject's mean in the stage − the stage's mean).
    """
    scored = table[table["stage"] >= 0].sort_values(["subject", "night", "onset_s"])
    stages, subjects = scored["stage"].to_numpy(), scored["subject"].to_numpy()
    powers = scored[COLUMNS].to_numpy(dtype=np.float64)
    means = np.stack([powers[stages == stage].mean(axis=0) for stage in range(len(STAGES))])
    centred = pd.DataFrame(powers - means[stages])
    by_stage = centred.groupby([subjects, stages]).mean()
    offsets = by_stage.groupby(level=0).mean()
    residuals = centred.to_numpy() - offsets.loc[subjects].to_numpy()
    within = [np.cov(residuals[stages == stage].T) for stage in range(len(STAGES))]
    return {
        "source": SOURCE,
        "stages": list(STAGES),
        "bands_hz": {band: list(edges) for band, edges in BANDS_HZ.items()},
        "first_stage": _rounded(_first_stages(scored)),
        "transitions": _rounded(_transitions(scored)),
        "log_power_mean": _rounded(means),
        "log_power_covariance": dict(zip(STAGES, map(_rounded, within), strict=True)),
        "subject_offset_covariance": _rounded(np.cov(offsets.to_numpy().T)),
    }


def as_text(calibration: dict[str, Any]) -> str:
    """Return JSON with one row of a matrix a line."""
    text = json.dumps(calibration, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([^\[\]]*?)\s+\]", _on_one_line, text) + "\n"


def read_table(path: Path) -> pd.DataFrame:
    """Read the columns needed; raises `UserError` when the file or a column is missing."""
    try:
        return pd.read_parquet(path, columns=["subject", "night", "onset_s", "stage", *COLUMNS])
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a table of band powers ({error}).") from error


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sleepsweep.data.calibration")
    parser.add_argument("bandpower", type=Path, metavar="BANDPOWER.parquet")
    parser.add_argument("--out", type=Path, help="file to write (default: print)")
    options = parser.parse_args(arguments)
    try:
        text = as_text(calibrate(read_table(options.bandpower)))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _first_stages(scored: pd.DataFrame) -> Matrix:
    first = scored.groupby(["subject", "night"])["stage"].first().to_numpy()
    return np.asarray(np.bincount(first, minlength=len(STAGES)) / len(first))


def _transitions(scored: pd.DataFrame) -> Matrix:
    # Only neighbours 30 s apart count: over a gap nobody knows what happened.
    stage, night = scored["stage"].to_numpy(), scored[["subject", "night"]].to_numpy()
    follows = (np.diff(scored["onset_s"]) == EPOCH_S) & (np.diff(night, axis=0) == 0).all(axis=1)
    counts = np.zeros((len(STAGES), len(STAGES)))
    np.add.at(counts, (stage[:-1][follows], stage[1:][follows]), 1)
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _rounded(values: Matrix) -> Any:
    return np.round(values, 5).tolist()


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", found[1]) + "]"


if __name__ == "__main__":
    sys.exit(main())
