"""What is planted ranks first; what a network loses is what the definitions say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sleepsweep.explain.answers import Answers, Epochs, ask
from sleepsweep.explain.effects import by_subject, effects, whole
from sleepsweep.explain.occlusions import bands_of, windows_of
from sleepsweep.metrics import STAGES, confusion, macro_f1, stage_f1

Make = Callable[..., Any]


@pytest.mark.parametrize("kind", ["Small", "Convolutional"])
@pytest.mark.parametrize("band", ["theta", "sigma", "beta"])
def test_the_planted_band_ranks_first(planted: Make, band: str, kind: str) -> None:
    made = planted(band, kind)
    answers = ask(made.network, made.epochs, bands_of(100.0))
    table = effects(answers)
    told = whole(answers).set_index("stage")
    assert told.loc["all", "f1"] > 0.6, "the network has learned nothing that could be explained"
    for measure in ("probability", "log_odds", "f1"):
        everything = table[table["stage"] == "all"].set_index("without")[measure]
        assert everything.idxmax() == band, everything
        others = everything.drop(band)
        assert everything[band] > 3 * others.max()
    planted_row = table[(table["stage"] == "all") & (table["without"] == band)].iloc[0]
    assert planted_row["f1_low"] > 0
