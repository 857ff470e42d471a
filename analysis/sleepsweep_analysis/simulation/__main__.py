"""Print the table of the simulation study, in Markdown."""

import argparse

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
            rho = "–" if row["rank ρ"] != row["rank ρ"] else f"{row['rank ρ']:.2f}"
            cells = [scenario.name, row["estimator"], row["kind"], f"{row['cover']:.3f}",
                     f"{row['RMSE']:.2f}", rho, f"{row['alarms']:.2f}"]  # fmt: skip
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
