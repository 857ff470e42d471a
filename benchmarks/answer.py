"""How many steps of training until a study names the best category: our way and the published one.

    python -m benchmarks.answer [--replicates 40] [--worlds NAME ...] [--variants NAME ...]

Both ways are run in worlds whose best category is planted (``planted.yaml``), with the same noise,
the same engine and nothing trained: `sleepsweep.forecast.simulated`. Ours draws random sets, stops
early and ranks by the report's own table of categories (with standard deviations at their mode,
which is three times quicker; ``--rank report`` averages over them, as the report does, and
``--rank sums`` is told that effects add up: least squares on the trials that ran to the end). The
published way runs every augmentation alone, all seeds to the end, and ranks by the categories'
mean scores. A study is right when its first category is the planted one. What 90 % of right
studies take is compared.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.crossing import Curve, ratio, wilson
from benchmarks.planted import PATH, Planted, World
from benchmarks.tables import markdown_table
from sleepsweep.plan import Plan, make_plan
from sleepsweep.rayenv import set_ray
from sleepsweep.results import ResultsTable, TableError
from sleepsweep.spec.specfile import study_of
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep_analysis.comparable import PLACEBO, comparable
from sleepsweep_analysis.estimates import effects
from sleepsweep_analysis.model import Posterior, Reml, build, fit

Result = dict[str, Any]

SHARE = 0.9
SHIPPED = "as shipped"
Cut = Callable[[ResultsTable, int], ResultsTable]
Rank = Callable[[ResultsTable], str | None]


def after_trials(table: ResultsTable, size: int) -> ResultsTable:
    """The sweep as it was after `size` trials: trials are drawn and stopped in their order."""
    return replace(table, trials=table.trials[table.trials["order"] < size])


def after_seeds(table: ResultsTable, size: int) -> ResultsTable:
    """The study as it was after `size` seeds of every augmentation."""
    return replace(table, trials=table.trials[table.trials["block"] < size])


def top_of_report(table: ResultsTable, *, quick: bool = False) -> str | None:
    """The first category of the report's table; None where the trials are too few for one.

    If `quick`, standard deviations are taken at their mode instead of averaged over.
    """
    try:
        chosen = comparable(table)
        design = build(chosen)
    except TableError:
        return None
    posterior = at_mode(Reml(design)) if quick else fit(design)
    found = effects.categories(chosen, posterior, posterior.draws(2, 0), 0)["category"]
    return str(found[found != PLACEBO].iloc[0])


def top_of_sums(table: ResultsTable) -> str | None:
    """The category whose augmentations have the highest mean effect, by ordinary least squares.

    Of the trials that ran to the end, and as if effects added up.
    """
    last = table.trials[table.trials["last"]]
    names = list(table.study.categories)
    members = last[[f"on.{name}" for name in names]].to_numpy(dtype=float)
    blocks = pd.get_dummies(last["block"]).to_numpy(dtype=float)
    columns, scores = np.hstack([members, blocks]), last["macro_f1"].to_numpy()
    weights = np.linalg.lstsq(columns, scores)[0][: len(names)]
    found = pd.DataFrame({"category": list(table.study.categories.values()), "effect": weights})
    means = found[found["category"] != PLACEBO].groupby("category")["effect"].mean()
    return str(means.idxmax())


def at_mode(reml: Reml) -> Posterior:
    """The posterior that holds the standard deviations to be known: three times quicker."""
    mode = reml.mode()
    return Posterior(reml, mode, np.ones(1), (reml.solve(mode),))


def top_of_means(table: ResultsTable) -> str | None:
    """The category whose augmentations, each alone, have the highest mean score.

    All have the same seeds, so that the gain over no augmentation need not be run to rank them.
    """
    last = table.trials[table.trials["last"]]
    names = last["policy"].str.partition("(")[0]
    scores = last.groupby(names.map(table.study.categories))["macro_f1"].mean()
    return str(scores.idxmax())


@dataclass(frozen=True)
class Way:
    """How a study is laid out (`spec`), cut off at `sizes`, and read."""

    spec: SweepSpec
    sizes: Sequence[int]
    cut: Cut
    rank: Rank

    def plan(self, seed: int) -> Plan:
        """The plan of one study: its own draws, of the same recordings and blocks."""
        return make_plan(self.spec.model_copy(update={"seed": seed}))


def published_way(planted: Planted) -> Way:
    """Every augmentation alone × seeds."""
    spec = SweepSpec.model_validate(planted.alone)
    return Way(spec, planted.seeds, after_seeds, top_of_means)


RANKS: dict[str, Rank] = {
    "mode": partial(top_of_report, quick=True), "report": top_of_report, "sums": top_of_sums,
}  # fmt: skip


def our_way(planted: Planted, variant: str = SHIPPED, rank: str = "mode") -> Way:
    """Random sets, ASHA and anchors, with what a variant changes."""
    overrides = planted.variants[variant]
    spec = study_of(SweepSpec, dict(planted.sweep), PATH, overrides=overrides)
    return Way(spec, planted.sizes, after_trials, RANKS[rank])


def curve(way: Way, planted: Planted, world: World, replicates: int) -> Curve:
    """Run studies, and read them at the sizes around the one that is enough."""
    best = next(iter(world.gains()))
    tables = [planted.study(way.plan(seed), world, seed) for seed in range(replicates)]

    def right(place: int) -> list[float]:
        cuts = (way.cut(table, way.sizes[place]) for table in tables)
        return [float(way.rank(cut) == best) for cut in cuts]

    at = around(right, len(way.sizes))
    sizes = [way.sizes[place] for place in sorted(at)]
    steps = np.array([[steps_trained(way.cut(table, size)) for size in sizes] for table in tables])
    return Curve(sizes, steps, np.array([at[place] for place in sorted(at)]).T)


def around(right: Callable[[int], list[float]], count: int) -> dict[int, list[float]]:
    """What studies found at the places of `count` sizes around the first that is enough.

    By bisection; a share that is high by chance has worse ones after it, so some more are seen.
    """
    known = cache(right)
    low, high = -1, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if np.mean(known(middle)) >= SHARE else (middle, high)
    return {place: known(place) for place in range(max(low - 1, 0), min(high + 3, count))}


def steps_trained(table: ResultsTable) -> float:
    """Steps that all trials of a study have trained, stopped ones up to their stop."""
    return float(table.trials.groupby("trial")["steps_trained"].max().sum())


def measure(
    planted: Planted, name: str, variants: Sequence[str], replicates: int, rank: str = "mode"
) -> Result:  # fmt: skip
    """Run both ways in the world of that name."""
    world = planted.worlds[name]
    published = curve(published_way(planted), planted, world, replicates)
    result: Result = {"gains": world.gains(), "published": _plain(published), "ours": {}}
    for variant in variants:
        ours = curve(our_way(planted, variant, rank), planted, world, replicates)
        result["ours"][variant] = {**_plain(ours), "times": ratio(published, ours, SHARE)}
    return result


def _plain(found: Curve) -> Result:
    count = len(found.right)
    return {
        "replicates": count,
        "steps_needed": found.needed(SHARE),
        "sizes": [
            {"size": size, "steps": float(steps), "right": float(np.mean(right)),
             "interval": wilson(int(right.sum()), count)}
            for size, steps, right in zip(
                found.sizes, found.steps.mean(axis=0), found.right.T, strict=True)
        ],
    }  # fmt: skip


def markdown(results: dict[str, Result]) -> str:
    """Return the results as tables: the ratios, and the curves that they are read from."""
    return "\n\n".join((_ratio_table(results), _curve_table(results)))


def _ratio_table(results: dict[str, Result]) -> str:
    rows = []
    for world, result in results.items():
        best, second = list(result["gains"].items())[:2]
        lead = f"{best[0]}, by {best[1] - second[1]:.1f} points"
        alone = _steps(result["published"])
        for variant, ours in result["ours"].items():
            times, low, high = ours["times"]
            rows.append([world, lead, variant, alone, _steps(ours),
                         f"{_times(times)} ({_times(low)} to {_times(high)})"])  # fmt: skip
    return markdown_table(["world", "best category", "our way", "one at a time × seeds, steps",
                  "ours, steps", "times less"], rows)  # fmt: skip


def _curve_table(results: dict[str, Result]) -> str:
    rows = []
    for world, result in results.items():
        ways = {"one at a time × seeds": result["published"], **result["ours"]}
        for way, found in ways.items():
            for each in found["sizes"]:
                low, high = each["interval"]
                rows.append([world, way, str(each["size"]), f"{each['steps']:,.0f}",
                             f"{each['right']:.2f} ({low:.2f} to {high:.2f})"])  # fmt: skip
    return markdown_table(["world", "way", "seeds or trials", "steps", "right (95 %)"], rows)


def _steps(found: Result) -> str:
    needed = found["steps_needed"]
    if np.isinf(needed):
        return f"more than {found['sizes'][-1]['steps']:,.0f}"
    return f"{'at most ' * (needed <= found['sizes'][0]['steps'])}{needed:,.0f}"


def _times(value: float) -> str:
    return "∞" if np.isinf(value) else f"{value:.1f}"


def main() -> None:
    """Measure and print."""
    planted = Planted.read()
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.answer", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--replicates", type=int, default=40)
    parser.add_argument("--worlds", nargs="+", choices=planted.worlds, default=[*planted.worlds])
    parser.add_argument("--variants", nargs="+", choices=planted.variants, default=[SHIPPED])
    parser.add_argument("--rank", choices=RANKS, default="mode", help="how ours names a category")
    options = parser.parse_args()
    set_ray()
    results = {
        name: measure(planted, name, options.variants, options.replicates, options.rank)
        for name in options.worlds
    }
    print(markdown(results))
    print(json.dumps(_finite(results)))


def _finite(value: Any) -> Any:
    """The value as JSON can hold it: None for what is infinite."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and np.isinf(value) else value


if __name__ == "__main__":
    main()
