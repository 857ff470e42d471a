"""Print the table of the simulation study, in Markdown."""

import argparse
from math import isfinite

from sleepsweep_analysis.simulation.study import SCENARIOS, run, summary


def main() -> None:
    """Run every scenario and print one row an estimator and kind."""
    parser = argparse.ArgumentParser(
        prog="python -m sleepsweep_analysis.simulation", description=__doc__
    )
    parser.add_argument("--replicates", type=int, default=40, help="sweeps a scenario")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    print("| sweep | estimator | of | cover of 95 % | RMSE | rank ρ | false alarms |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for scenario in SCENARIOS:
        found = run(scenario, range(options.replicates), options.processes)
        for row in summary(found).to_dict("records"):
            cells = [scenario.name, row["estimator"], row["kind"], _text(row["cover"], 3),
                     _text(row["RMSE"]), _text(row["rank ρ"]), _text(row["alarms"])]  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


def _text(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}" if isfinite(value) else "–"


if __name__ == "__main__":
    main()
