"""Probabilities of stages: those of the network, and nothing where an epoch cannot be used."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from sleepsweep.data.edf.writing import write_psg
from sleepsweep.errors import UserError
from sleepsweep.metrics import STAGES
from sleepsweep.model import Model
from sleepsweep.predict import Prediction, predict, read_night

Make = Callable[..., Model]


@pytest.fixture
def found(model: Make, tmp_path: Path, write_night: Callable[..., Path]) -> Prediction:
    night = read_night(write_night(tmp_path / "a.edf"), model().about, first_s=12.0)
    return predict(model(), night)


def test_probabilities_are_those_of_the_network(model: Make, found: Prediction) -> None:
    with torch.no_grad():
        logits = model().network(torch.from_numpy(found.night.epochs))
    expected = torch.softmax(logits, dim=1).numpy()
    assert found.probabilities == pytest.approx(expected, abs=1e-6)
    assert np.array_equal(found.stages, expected.argmax(axis=1))
    assert len(set(found.stages.tolist())) > 1
    assert found.confidence == pytest.approx(expected.max(axis=1), abs=1e-6)


def test_an_epoch_that_cannot_be_used_has_no_stage(model: Make, tmp_path: Path) -> None:
    signal = np.random.default_rng(0).normal(size=24 * 3000) * 20
    signal[6000:9000] = 0
    write_psg(tmp_path / "a.edf", [signal], ["Fpz-Cz"], 100, _start())
    found = predict(model(), read_night(tmp_path / "a.edf", model().about))
    assert np.flatnonzero(found.stages < 0).tolist() == [2]
    assert np.isnan(found.probabilities[2]).all()
    assert np.isnan(found.confidence[2])
    row = found.table().iloc[2]
    assert (row["stage"], row["onset"]) == ("?", 60)
    assert row[list(STAGES)].isna().all()


def test_the_table_has_a_row_an_epoch(found: Prediction) -> None:
    table = found.table()
    assert list(table) == ["epoch", "onset", "duration", "stage", *STAGES, "confidence"]
    assert table["epoch"].tolist() == list(range(23))
    assert table["onset"].tolist() == [12.0 + 30 * n for n in range(23)]
    assert set(table["duration"]) == {30}
    assert np.allclose(table[list(STAGES)].sum(axis=1), 1)
    best = table[list(STAGES)].idxmax(axis=1)
    assert best.tolist() == table["stage"].tolist()


def test_a_network_that_diverged_is_refused(model: Make, found: Prediction) -> None:
    broken = model()
    with torch.no_grad():
        next(broken.network.parameters()).fill_(float("nan"))
    with pytest.raises(UserError, match="are no numbers, as those of a network whose training"):
        predict(broken, replace(found.night))


def _start() -> datetime:
    return datetime(2020, 2, 3, 22, 45, 30)
