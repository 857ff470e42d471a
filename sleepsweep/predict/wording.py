"""What statistics and measures are called where people read them."""

from sleepsweep.metrics import STAGES
from sleepsweep.predict.statistics import UNITS

LABELS = {
    "recorded": "Recorded", "sleep_time": "Total sleep time", "sleep_efficiency":
    "Sleep efficiency", "sleep_onset_latency": "Sleep onset latency",
    "waso": "Wake after sleep onset", "rem_latency": "REM latency",
    **{f"minutes.{stage}": stage for stage in STAGES},
    **{f"percent.{stage}": f"{stage} of sleep" for stage in STAGES[1:]},
}  # fmt: skip
STATISTICS = {name: (LABELS[name], unit) for name, unit in UNITS.items()}
"""The name and the unit of every sleep statistic."""

MEASURES = {
    "accuracy": "Accuracy", "kappa": "Cohen’s κ", "macro_f1": "Macro-F1",
    **{f"f1.{stage}": f"F1 of {stage}" for stage in STAGES},
}  # fmt: skip
"""The name of every measure of agreement."""


def told(value: float, digits: int) -> str:
    """A number with so many decimals, or a dash for none."""
    return "–" if value != value else f"{value:,.{digits}f}".replace("-", "−")
