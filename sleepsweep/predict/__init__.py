"""A trained model on nights that nobody has scored: hypnograms, and how experts agree with them."""

from sleepsweep.predict.agreement import Agreement, agreement_with, read_reference
from sleepsweep.predict.night import Night, nights_at, read_night
from sleepsweep.predict.outputs import outputs_for, write_outputs
from sleepsweep.predict.prediction import Prediction, predict
from sleepsweep.predict.report import NightReport, report_on
from sleepsweep.predict.statistics import sleep_statistics

__all__ = [
    "Agreement", "Night", "NightReport", "Prediction", "agreement_with", "nights_at",
    "outputs_for", "predict", "read_night", "read_reference", "report_on", "sleep_statistics",
    "write_outputs",
]  # fmt: skip
