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


class Fixed(nn.Module):
    """Logits by a rule: the mean amplitude of an epoch says N2 against W, and nothing else."""

    def forward(self, epochs: Tensor) -> Tensor:
        level = epochs.abs().mean(dim=(1, 2))
        logits = torch.full((len(epochs), 5), -30.0)
        logits[:, 0], logits[:, 2] = 1.0 - level, level
        return logits


def few(count: int = 12) -> Epochs:
    draw = np.random.default_rng(3)
    epochs = draw.normal(size=(count, 1, 600)).astype(np.float32)
    epochs[1::2] *= 0.2
    stages = np.where(np.arange(count) % 2, 0, 2).astype(np.int8)
    names = np.array([f"P{place // 4}" for place in range(count)])
    return Epochs(lambda rows: epochs[rows], np.arange(count), stages, names)


def test_losses_are_the_definitions_and_the_intervals_are_jackknives() -> None:
    """A second derivation, epoch by epoch and subject by subject."""
    epochs = few()
    occlusions = windows_of(6.0, 3.0, 100.0, "zero")
    table = effects(ask(Fixed(), epochs, occlusions))
    signals = torch.from_numpy(epochs.gather(epochs.rows))

    def answer(place: int, occlusion: Any) -> tuple[float, float, int]:
        one = signals[place : place + 1]
        if occlusion:
            one = occlusion(one, torch.Generator())
        p = Fixed()(one).double().softmax(dim=-1)[0, epochs.stages[place]].item()
        return p, float(np.log(p / (1 - p))), int(Fixed()(one).argmax())

    def loss(places: list[int], stage: int | None, occlusion: Any) -> tuple[float, float, float]:
        mine = [place for place in places if stage in (None, epochs.stages[place])]
        pairs = [(answer(place, None), answer(place, occlusion)) for place in mine]
        p, odds = (np.mean([one[at] - two[at] for one, two in pairs]) for at in (0, 1))
        scores = []
        for which in (None, occlusion):
            told = [answer(place, which)[2] for place in places]
            matrix = confusion(epochs.stages[places], told)
            scores.append(macro_f1(matrix) if stage is None else stage_f1(matrix)[stage])
        return float(p), float(odds), float(scores[0] - scores[1])

    people = [[i for i in range(12) if epochs.subjects[i] == name] for name in ("P0", "P1", "P2")]
    for (name, stage), occlusion in [
        (case, occlusion)
        for case in (("all", None), ("N2", 2), ("W", 0))
        for occlusion in occlusions
    ]:
        row = table[(table["stage"] == name) & (table["without"] == occlusion.name)].iloc[0]
        expected = loss(list(range(12)), stage, occlusion)
        left = [loss([i for i in range(12) if i not in own], stage, occlusion) for own in people]
        for at, key in enumerate(("probability", "log_odds", "f1")):
            assert row[key] == pytest.approx(expected[at], abs=1e-6)
            values = np.array([one[at] for one in left])
            error = np.sqrt(2 / 3 * ((values - values.mean()) ** 2).sum())
            half = 4.302652729911275 * error  # Student's t, 2 degrees of freedom
            limit = np.inf if key == "log_odds" else 1.0
            assert row[f"{key}_high"] == pytest.approx(min(expected[at] + half, limit), abs=1e-6)
            assert row[f"{key}_low"] == pytest.approx(max(expected[at] - half, -limit), abs=1e-6)
        assert (row["epochs"], row["subjects"]) == (12 if stage is None else 6, 3)


def test_of_one_subject_there_is_no_interval() -> None:
    epochs = few(4)
    table = effects(ask(Fixed(), epochs, bands_of(100.0)))
    for key in ("probability", "log_odds", "f1"):
        assert table[key].notna().all()
        assert table[[f"{key}_low", f"{key}_high"]].isna().all().all()


def test_stages_that_nobody_was_in_have_no_row_and_one_s_own_has_no_interval() -> None:
    epochs = few()
    stages = epochs.stages.copy()
    stages[:2] = STAGES.index("R")
    answers = ask(
        Fixed(), Epochs(epochs.gather, epochs.rows, stages, epochs.subjects), bands_of(100.0)
    )
    table = effects(answers)
    assert list(dict.fromkeys(table["stage"])) == ["all", "W", "N2", "R"]
    alone = table[table["stage"] == "R"]
    assert set(alone["subjects"]) == {1}
    assert alone["probability"].notna().all()
    assert alone["probability_low"].isna().all()
    assert alone["f1_low"].isna().all()
    assert set(by_subject(answers).query("stage == 'R'")["subject"]) == {"P0"}


def test_answers_of_parts_are_those_of_the_whole() -> None:
    epochs, occlusions = few(), bands_of(100.0)
    parts = [
        ask(Fixed(), Epochs(epochs.gather, epochs.rows[some], epochs.stages[some],
                            epochs.subjects[some]), occlusions)
        for some in (slice(0, 4), slice(4, 12))
    ]  # fmt: skip
    joined, together = Answers.joined(parts), ask(Fixed(), epochs, occlusions)
    assert joined.names == together.names
    assert np.allclose(joined.log_odds, together.log_odds)
    assert np.array_equal(joined.subjects, together.subjects)


def test_a_certain_network_has_finite_log_odds() -> None:
    class Certain(nn.Module):
        def forward(self, epochs: Tensor) -> Tensor:
            return torch.tensor([[500.0, 0.0, -1e9, 0.0, 0.0]]).repeat(len(epochs), 1)

    answers = ask(Certain(), few(), bands_of(100.0))
    assert np.isfinite(answers.log_odds).all()
    assert answers.log_odds[0, 1] == pytest.approx(500 - np.log(3), abs=1e-6)
    assert effects(answers)["log_odds"].abs().max() == 0
