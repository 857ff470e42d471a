"""How a predicted night shows in the terminal."""

from collections.abc import Iterator

from rich.console import Group
from rich.text import Text

from sleepsweep.metrics import STAGES
from sleepsweep.predict import Agreement, NightReport
from sleepsweep.predict.wording import MEASURES, STATISTICS, told
from sleepsweep.terminal.tables import section, table

SPLIT = tuple(name for name in STATISTICS if "." not in name)
"""The statistics that have a line of their own; the others are of single stages."""


def night_lines(report: NightReport) -> Iterator[Text | Group]:
    """Which night, its stages and statistics, the agreement, and what to know of these."""
    night = report.prediction.night
    ends = night.clock(night.first_s + night.count * night.epoch_s)
    since = "" if night.start else " after its start"
    yield Text(report.heading, style="bold")
    yield Text(
        f"{night.count:,} epochs of {night.epoch_s:g} s, {night.clock(night.first_s)} to "
        f"{ends}{since}"
    )
    yield Text(f"Unsure of {report.unsure}")
    yield _stages(report)
    yield _statistics(report)
    if report.agreement is not None:
        yield _agreement(report.agreement)
    for sentence in report.notes():
        yield Text(sentence, style="yellow")


def _stages(report: NightReport) -> Group:
    made = table(*STAGES, first="")
    for name, values in report.statistics.items():
        label = f"{name}, " if len(report.statistics) > 1 else ""
        made.add_row(f"{label}minutes", *(told(values[f"minutes.{s}"], 0) for s in STAGES))
        shares = (told(values.get(f"percent.{s}", float("nan")), 1) for s in STAGES)
        made.add_row(f"{label}% of sleep", *shares)
    return section("Stages", made)


def _statistics(report: NightReport) -> Group:
    made = table(*report.statistics, "", first="", words=[""])
    for name in SPLIT:
        label, unit = STATISTICS[name]
        cells = [told(each[name], 0 if unit == "min" else 1) for each in report.statistics.values()]
        made.add_row(label.lower().replace("rem", "REM"), *cells, unit)
    return section("Sleep", made)


def _agreement(agreement: Agreement) -> Group:
    measures = agreement.measures()
    scores = table("value", first="")
    for name, label in MEASURES.items():
        if "." not in name:
            scores.add_row(label, told(measures[name], 3))
    matrix = table(*STAGES, "F1", first="scored as")
    for stage, row in zip(STAGES, agreement.matrix, strict=True):
        matrix.add_row(stage, *(f"{count:,}" for count in row), told(measures[f"f1.{stage}"], 3))
    heading = f"Agreement with {agreement.source}, {agreement.epochs:,} epochs"
    return section(heading, scores, Text("\nPredicted as", style="dim"), matrix)
