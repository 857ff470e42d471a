"""The command that says what a sweep would cost and could tell, before anything is run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from sleepsweep.cli.app import app, console_for
from sleepsweep.cli.options import Data, Json, Preset, Quiet, Seed, Settings, SpaceFile, Trials
from sleepsweep.cli.reading import read_space

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sleepsweep.results import ResultsTable

SIMULATED = 3
"""Sweeps that are simulated; a warning that most of them raise is one to expect."""


@app.command(name="plan")
def plan_(
    space: SpaceFile, data: Data = None, settings: Settings = None, preset: Preset = None,
    trials: Trials = None, seed: Seed = None,
    tune_packing: Annotated[
        bool, typer.Option("--tune-packing", help="Measure how many trials at once are best here.")
    ] = False,
    samples_per_s: Annotated[
        float | None,
        typer.Option(
            min=1.0, metavar="N", show_default=False,
            help="Measure no time: a trial trains on N epochs a second, as on another machine.",
        ),
    ] = None,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Say what a launch would run, how long it would take, and what it could tell; run nothing.

    Trains for a few steps on the recordings to measure the time, unless --samples-per-s says it.
    What could be told is read from simulated sweeps of these very trials, without any effect and
    with the published study's noise.
    """
    from json import dumps

    from sleepsweep.rayenv import set_ray

    set_ray()
    from sleepsweep.forecast import forecast, simulated
    from sleepsweep.packing.measuring import measured
    from sleepsweep.plan import make_plan
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal import summary
    from sleepsweep.terminal.forecast import forecast_of, packing_of, sight_of
    from sleepsweep_analysis.simulation import PublishedNoise

    spec = read_space(space, data, settings, preset, trials, seed)
    console = console_for(quiet=quiet or json)
    with progress_bar(console, "Preparing") as report_progress:
        plan = make_plan(spec, report_progress)
    with console.status("Simulating, and timing a few steps"):
        tables = [simulated(plan, PublishedNoise(number).score) for number in range(SIMULATED)]
        found, sight = forecast(plan, tables, samples_per_s), _sight(tables)
        packings = measured(plan) if tune_packing else {}
    if json:
        packed = {name: packing.plain for name, packing in packings.items()}
        print(dumps({"sweep": spec.name, **found.plain, **sight.plain, **packed}))
        raise typer.Exit
    console.print(summary.data_summary(plan))
    for part in (*forecast_of(found), *sight_of(sight.smallest, sight.warnings, sight.refused)):
        console.print(part)
    for packing in packings.values():
        console.print(packing_of(packing))


@dataclass(frozen=True)
class _Sight:
    """What a sweep could tell: the smallest effect in points, warnings, what is not claimed."""

    smallest: float | None
    warnings: list[tuple[str, str, str]]
    refused: list[str]

    @property
    def plain(self) -> dict[str, object]:
        names = ("code", "level", "sentence")
        warnings = [dict(zip(names, each, strict=True)) for each in self.warnings]
        return {"smallest_effect": self.smallest, "warnings": warnings, "refused": self.refused}


def _sight(tables: "Sequence[ResultsTable]") -> _Sight:
    from math import isfinite
    from statistics import median_high

    from sleepsweep.results import TableError
    from sleepsweep_analysis import analyse
    from sleepsweep_analysis.warnings import CLAIMS, detectable, refused

    try:
        analyses = [analyse(table) for table in tables]
    except TableError as error:
        return _Sight(None, [("NO_REPORT", "red", str(error))], [])
    smallest = median_high(detectable(analysis.effects) for analysis in analyses)
    # What is said of all of them is said in the words, and with the numbers, of the middle one.
    analyses.sort(key=lambda analysis: detectable(analysis.effects) != smallest)
    raised = [check for analysis in analyses for check in analysis.checks if check.level != "green"]
    codes = [check.code for check in raised]
    # What one simulated sweep in three raises is its luck and not the plan's.
    expected = [
        check
        for place, check in enumerate(raised)
        if 2 * codes.count(check.code) > len(tables) and check.code not in codes[:place]
    ]
    return _Sight(
        smallest if isfinite(smallest) else None,
        [(check.code, check.level, check.sentence) for check in expected],
        [CLAIMS[claim] for claim in refused(expected)],
    )
