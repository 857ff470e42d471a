"""How an explanation of a model shows in the terminal."""

from collections.abc import Sequence

from rich.console import Group

from sleepsweep.explain.page import Line
from sleepsweep.terminal.tables import section, table


def summary_table(lines: Sequence[Line]) -> Group:
    """A row a stage: how it is told whole, and the band that costs most when it is taken out."""
    made = table("F1", "costs most without", "probability lost, points", first="stage",
                 words=["costs most without"])  # fmt: skip
    for line in lines:
        made.add_row(line.stage, line.f1, line.band, line.loss)
    return section("What the network uses", made)
