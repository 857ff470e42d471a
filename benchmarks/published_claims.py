"""The claims of the published augmentation study, put to the analysis of a table of results.

    python -m benchmarks.published_claims published.csv
    python -m benchmarks.published_claims runs/aug_ablation

prints a Markdown table: each claim, what the model finds in the study's own table or in a sweep,
and whether that supports the claim. Whether a claim may be made at all is decided by the warnings,
from the columns that say how each row was made.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.published_names import augmentation_name, category_name
from sleepsweep_analysis import Analysis, analyse, load
from sleepsweep_analysis.estimates.effects import contrasts


@dataclass(frozen=True)
class Claim:
    """A published sentence, the claims of an analysis that it needs, and what answers it.

    `found` returns the numbers in words, and whether they support the sentence.
    """

    text: str
    needs: tuple[str, ...]
    found: Callable[[Analysis], tuple[str, bool]]


def leads(name: str, *, best: bool) -> Callable[[Analysis], tuple[str, bool]]:
    """Whether one augmentation is the best, or the worst, with a probability of .95."""

    def found(analysis: Analysis) -> tuple[str, bool]:
        frame = analysis.effects[analysis.effects["category"] != "placebo"]
        place = [augmentation_name(each) for each in frame["augmentation"]].index(name)
        row = frame.iloc[place]
        sure = float(row["p_best"]) if best else _share_worst(analysis, name)
        text = f"{_effect(row)}, place {place + 1} of {len(frame)}, "
        return text + f"P({'best' if best else 'worst'}) {sure:.2f}", sure >= 0.95

    return found


def categories_are(word: str, *names: str) -> Callable[[Analysis], tuple[str, bool]]:
    """Whether each of these categories has this verdict."""

    def found(analysis: Analysis) -> tuple[str, bool]:
        frame = analysis.categories
        rows = frame.set_index(frame["category"].map(category_name)).loc[list(names)]
        text = "; ".join(f"{name} {_effect(row)}" for name, row in rows.iterrows())
        return text, bool((rows["verdict"] == word).all())

    return found


def sizes_are_best(*sizes: int) -> Callable[[Analysis], tuple[str, bool]]:
    """Whether random sets of these sizes are best with a probability of .95 together."""

    def found(analysis: Analysis) -> tuple[str, bool]:
        frame = analysis.size_curve.set_index("size")
        shown = "; ".join(
            f"{k}: {row['difference']:+.1f} ({row['low']:+.1f} to {row['high']:+.1f})"
            for k, row in frame.iterrows()
        )
        sure = float(frame.loc[list(sizes), "p_best"].sum())
        return f"means by size against {frame.index[0]}: {shown}; P {sure:.2f}", sure >= 0.95

    return found


def dose_is_found(analysis: Analysis) -> tuple[str, bool]:
    """Whether a probability has an optimum that is told from the mean of its range."""
    frame = analysis.optima[analysis.optima["quantity"] == "p"]
    if frame.empty:
        return "no probability was run at three settings", False
    counts = frame["verdict"].value_counts()
    words = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
    return f"of {len(frame)} probabilities: {words}", bool((frame["verdict"] == "optimum").all())


def top_policy(analysis: Analysis) -> tuple[str, bool]:
    """The highest trial, what the model expects of it, and what was confirmed; never claimed."""
    row, confirmed = analysis.leaderboard.iloc[0], analysis.confirmation
    text = (
        f"highest of {row['of']}: {row['macro_f1']:.1f}; the model expects {row['expected']:.1f}; "
    )
    if confirmed.empty:
        return text + "never confirmed", False
    best = confirmed.iloc[0]
    return text + f"confirmed {best['score']:.1f}, a set of {best['size']}", False


CLAIMS = (
    Claim("TailoredMixup is the best augmentation", ("ranking",),
          leads("TailoredMixup", best=True)),
    Claim("AverageFiltering is the worst augmentation", ("ranking",),
          leads("AverageFiltering", best=False)),
    Claim("Frequency, masking and temporal augmentations help", ("ranking",),
          categories_are("better", "frequency", "masking", "temporal")),
    Claim("Amplitude and noise augmentations hurt", ("ranking",),
          categories_are("worse", "amplitude", "noise")),
    Claim("3 to 4 augmentations are best", ("size",), sizes_are_best(3, 4)),
    Claim("A sum of p of 3 is better than 4 or 5", ("ranking",), dose_is_found),
    Claim("Five augmentations at p 0.6 are the best policy", ("best",), top_policy),
)  # fmt: skip


def table(analysis: Analysis) -> str:
    """The claims as a Markdown table."""
    lines = ["| claim | in the table: points, 95 % intervals | verdict |", "|---|---|---|"]
    for claim in CLAIMS:
        numbers, supported = claim.found(analysis)
        refused = [analysis.refused[need] for need in claim.needs if need in analysis.refused]
        verdict = "supported" if supported else "not supported"
        if refused:
            verdict = f"refused: {refused[0]}"
        lines.append(f"| {claim.text} | {numbers} | {verdict} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and the warnings behind it."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published_claims", description=__doc__
    )
    parser.add_argument("table", type=Path, help="the published results, a CSV, or a sweep")
    analysis = analyse(load(parser.parse_args().table))
    print(table(analysis))
    print()
    for check in analysis.checks:
        if check.level != "green":
            print(f"- **{check.code}** ({check.level}): {check.sentence} {check.effect}")


def _share_worst(analysis: Analysis, name: str) -> float:
    pool = [augmentation_name(each) for each in analysis.posterior.design.layout.pool]
    draws = analysis.draws @ contrasts(analysis.posterior).T
    return float((draws.argmin(axis=1) == pool.index(name)).mean())


def _effect(row: "pd.Series[float]") -> str:
    effect, low, high = (float(row[key]) for key in ("effect", "low", "high"))
    return f"{effect:+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
