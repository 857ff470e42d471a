"""How simulated nights must look, estimated from a table of real ones.

``python -m sleepsweep.data.simulation.calibration bandpower.parquet --out calibration.json`` writes
the numbers that the nights are drawn from. The table has a row an epoch: subject, night, onset_s,
stage (0–4, negative: unscored) and the natural logarithms of five band powers of three channels.
"""

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Self

import pandas as pd

from sleepsweep.data.simulation.hypnogram import HypnogramModel
from sleepsweep.data.simulation.layout import BANDS
from sleepsweep.data.simulation.powers import PowerModel
from sleepsweep.errors import UserError

FEATURES = [f"{channel}_log_{band}" for channel in ("fpz_cz", "pz_oz", "eog") for band in BANDS]
COMMITTED = files("sleepsweep.data.simulation") / "calibration.json"
SOURCE = (
    "Estimated from the expert stages and the band powers of 127 nights of 65 subjects of "
    "Sleep-EDF Expanded 1.0.0 (PhysioNet; ODC-BY 1.0): Kemp et al. 2000, IEEE Trans. Biomed. Eng. "
    "47(9):1185–1194; Goldberger et al. 2000, Circulation 101(23):e215. Made by: "
    "python -m sleepsweep.data.simulation.calibration bandpower.parquet --out calibration.json"
)


@dataclass(frozen=True)
class Calibration:
    """What nights are drawn from: the models of hypnograms and of log band powers."""

    hypnogram: HypnogramModel
    powers: PowerModel

    @classmethod
    def estimate(cls, table: pd.DataFrame) -> Self:
        """Estimate it from a table of scored and unscored epochs."""
        scored = scored_epochs(table)
        return cls(HypnogramModel.estimate(scored), PowerModel.estimate(scored, FEATURES))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the calibration of `as_text`."""
        numbers = json.loads(text)
        hypnogram = HypnogramModel.from_json(numbers["hypnogram"])
        return cls(hypnogram, PowerModel.from_json(numbers["powers"]))

    def as_text(self) -> str:
        """Return it as JSON, one row of a matrix a line."""
        parts = {"hypnogram": self.hypnogram.as_json(), "powers": self.powers.as_json()}
        text = json.dumps({"source": SOURCE, **parts}, indent=0, ensure_ascii=False)
        return re.sub(r"\[\s+([^\[\]]*?)\s+\]", _on_one_line, text) + "\n"


@cache
def committed() -> Calibration:
    """Return the calibration that comes with the package."""
    return Calibration.from_text(COMMITTED.read_text(encoding="utf-8"))


@cache
def committed_digest() -> str:
    """Return what identifies the committed calibration."""
    return hashlib.sha256(COMMITTED.read_bytes()).hexdigest()[:16]


def scored_epochs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the scored epochs in the order of subject, night and time."""
    return table[table["stage"] >= 0].sort_values(["subject", "night", "onset_s"])


def read_table(path: Path) -> pd.DataFrame:
    """Read the columns needed; raises `UserError` when the file or a column is missing."""
    try:
        return pd.read_parquet(path, columns=["subject", "night", "onset_s", "stage", *FEATURES])
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a table of band powers ({error}).") from error


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m sleepsweep.data.simulation.calibration")
    parser.add_argument("bandpower", type=Path, metavar="BANDPOWER.parquet")
    parser.add_argument("--out", type=Path, help="file to write (default: print)")
    options = parser.parse_args(arguments)
    try:
        text = Calibration.estimate(read_table(options.bandpower)).as_text()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\s+", " ", found[1]) + "]"


if __name__ == "__main__":
    sys.exit(main())
