"""How far a sweep ranks categories and augmentations as the published study's singles do.

    python -m benchmarks.published_ranking published.csv runs/aug_ablation

The study's ranking is that of its single augmentations, and of the means of these in a category:
one run each, so that nothing is known of the noise in it. A rank correlation is Spearman's, of the
sweep's effects; its 95 % interval is over joint draws of these, the study's scores as they are.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks.published_names import augmentation_name
from benchmarks.tables import markdown_table
from sleepsweep.augment.registry import augmentation
from sleepsweep_analysis import Analysis, analyse, load
from sleepsweep_analysis.estimates.effects import contrasts


def singles(published: Path) -> pd.Series:
    """Return the study's macro-F1, in points, of each augmentation that it ran alone, by name."""
    frame = pd.read_csv(published)
    alone = frame[frame["size"] == 1]
    return pd.Series(
        alone["macro_f1"].to_numpy(), [augmentation_name(each) for each in alone["augmentations"]]
    )


def agreement(analysis: Analysis, scores: "pd.Series[float]") -> pd.DataFrame:
    """Return the rank correlation ``rho`` with `scores`, its bounds, of how many: a row each kind.

    Over what both ran; NaN where they share fewer than three.
    """
    pool = list(analysis.posterior.design.layout.pool)
    shared = [name for name in pool if name in scores.index]
    effects = contrasts(analysis.posterior)[[pool.index(name) for name in shared]]
    theirs = scores[shared]
    categories = [augmentation(name).category for name in shared]
    members = pd.get_dummies(pd.Series(categories), dtype=float)
    means = (members / members.sum()).T.to_numpy()
    return pd.DataFrame([
        _row("categories", analysis, means @ effects, means @ theirs.to_numpy()),
        _row("augmentations", analysis, effects, theirs.to_numpy()),
    ])  # fmt: skip


def table(analysis: Analysis, scores: "pd.Series[float]") -> str:
    """Return `agreement` in Markdown."""
    rows = [
        [f"{row.of} {row.what}", f"{row.rho:+.2f}", f"{row.low:+.2f} to {row.high:+.2f}"]
        for row in agreement(analysis, scores).itertuples()
    ]
    return markdown_table(["ranking of", "rank correlation", "95 % interval"], rows)


def _row(
    what: str, analysis: Analysis, combinations: np.ndarray, theirs: np.ndarray
) -> dict[str, object]:
    if len(theirs) < 3:
        return {"what": what, "of": len(theirs), "rho": np.nan, "low": np.nan, "high": np.nan}
    draws = analysis.draws @ combinations.T
    each = [spearmanr(draw, theirs).statistic for draw in draws]
    low, high = np.quantile(each, [0.025, 0.975])
    mean = analysis.posterior.estimate(combinations).mean
    rho = float(spearmanr(mean, theirs).statistic)
    return {"what": what, "of": len(theirs), "rho": rho, "low": float(low), "high": float(high)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.published_ranking", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("published", type=Path, help="the published results, a CSV")
    parser.add_argument("sweep", type=Path, help="the folder of a sweep")
    options = parser.parse_args()
    print(table(analyse(load(options.sweep)), singles(options.published)))


if __name__ == "__main__":
    main()
