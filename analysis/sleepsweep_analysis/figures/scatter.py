"""A plane of points, coloured by stage."""

import numpy as np
from numpy.typing import NDArray

from sleepsweep_analysis.figures.figure import Key, Panel, margins
from sleepsweep_analysis.figures.palette import BLUE, GREEN, ORANGE, PINK, SKY

__all__ = ["STAGE_COLOURS", "STAGE_KEY", "plane"]

STAGE_COLOURS = {"W": ORANGE, "N1": SKY, "N2": BLUE, "N3": PINK, "R": GREEN}
SYMBOLS = {"W": "circle", "N1": "diamond", "N2": "square", "N3": "triangle-up", "R": "cross"}
STAGE_KEY = tuple(
    Key("REM" if name == "R" else name, colour, SYMBOLS[name])
    for name, colour in STAGE_COLOURS.items()
)


def plane(points: NDArray[np.float64], stages: NDArray[np.int64], title: str, axis: str) -> Panel:
    """Points (n, 2) of stages (n,), counted 0–4 as W, N1, N2, N3, REM."""
    data = []
    for number, (name, colour) in enumerate(STAGE_COLOURS.items()):
        mine = points[stages == number]
        if len(mine):
            data.append({
                "type": "scatter", "mode": "markers", "showlegend": False, "name": name,
                "x": np.round(mine[:, 0], 3).tolist(), "y": np.round(mine[:, 1], 3).tolist(),
                "marker": {"color": colour, "size": 4.5, "symbol": SYMBOLS[name], "opacity": 0.7},
                "hovertemplate": f"{name}<extra></extra>",
            })  # fmt: skip
    hidden = {"showticklabels": False, "zeroline": False}
    layout = {
        "height": 340, "margin": margins(30, 8, 8, 34),
        "xaxis": {**hidden, "title": {"text": f"{axis} 1"}},
        "yaxis": {**hidden, "title": {"text": f"{axis} 2"}},
    }  # fmt: skip
    return Panel(data, layout, title=title)
