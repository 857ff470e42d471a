"""How strong, and how often: the curve of each dial that was run, and where its optimum lies.

A curve is β t + γ (t² − 1/12) over the range that was run: the change against a setting drawn
uniformly from that range. The optimum is found in every joint draw; where the gain at the optimum
is not told from 0, there is none to recommend.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sleepsweep_analysis.comparable import Comparable
from sleepsweep_analysis.estimates.ranking import EQUAL
from sleepsweep_analysis.model import Posterior
from sleepsweep_analysis.model.dials import Dial, bend
from sleepsweep_analysis.model.layout import Layout

__all__ = ["doses", "optima"]

Matrix = NDArray[np.float64]

POINTS = 21
BOUNDS = (0.025, 0.975)
CURVE_COLUMNS = ["augmentation", "quantity", "value", "effect", "low", "high"]
OPTIMUM_COLUMNS = [
    "augmentation", "quantity", "lowest", "highest", "trials", "optimum", "optimum_low",
    "optimum_high", "gain", "gain_low", "gain_high", "verdict",
]  # fmt: skip


def doses(posterior: Posterior) -> pd.DataFrame:
    """The curves, `POINTS` rows a dial."""
    layout = posterior.design.layout
    parts = [pd.DataFrame(columns=CURVE_COLUMNS)]
    for d, dial in enumerate(layout.dials):
        found = posterior.estimate(_rows(layout, d))
        parts.append(pd.DataFrame({
            "augmentation": dial.augmentation, "quantity": dial.quantity,
            "value": np.linspace(dial.low, dial.high, POINTS),
            "effect": found.mean, "low": found.low, "high": found.high,
        }))  # fmt: skip
    return pd.concat(parts[1:] or parts, ignore_index=True)


def optima(chosen: Comparable, posterior: Posterior, draws: Matrix) -> pd.DataFrame:
    """One row a dial: the setting that is best on average, and what it gains."""
    layout = posterior.design.layout
    rows = [
        _optimum(dial, draws @ _rows(layout, d).T) | {"trials": chosen.present(dial.augmentation)}
        for d, dial in enumerate(layout.dials)
    ]
    return pd.DataFrame(rows, columns=OPTIMUM_COLUMNS)


def _rows(layout: Layout, d: int) -> Matrix:
    t = np.linspace(-0.5, 0.5, POINTS)
    return np.array([layout.at_dial(d, float(x), float(bend(x))) for x in t])


def _optimum(dial: Dial, curves: Matrix) -> dict[str, object]:
    """The optimum of one dial by draws of its curve, (count, POINTS).

    The gain is that of the setting which is best on average, read in every draw: the best of each
    draw would be positive whatever the truth. Flat: nowhere on the range is it shown to be off ±½.
    """
    values = np.linspace(dial.low, dial.high, POINTS)
    best = int(curves.mean(axis=0).argmax())
    gain = curves[:, best]
    low, high = np.quantile(gain, BOUNDS)
    band = np.quantile(curves, BOUNDS, axis=0)
    flat = band[0].min() >= -EQUAL and band[1].max() <= EQUAL
    settings = np.quantile(values[curves.argmax(axis=1)], BOUNDS)
    return {
        "augmentation": dial.augmentation, "quantity": dial.quantity,
        "lowest": dial.low, "highest": dial.high, "optimum": float(values[best]),
        "optimum_low": float(settings[0]), "optimum_high": float(settings[1]),
        "gain": float(gain.mean()), "gain_low": float(low), "gain_high": float(high),
        "verdict": "flat" if flat else "optimum" if low > 0 else "cannot tell",
    }  # fmt: skip
