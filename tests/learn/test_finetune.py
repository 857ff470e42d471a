"""On sixty epochs of 6 s, each stage a sine of its own in noise."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.finetune import (
    Check,
    FinetuneSpec,
    Labelled,
    _class_weights,
    _last_block,
    build_staging,
    fine_tune,
)
from sleepsweep.learn.staging import Staging

RATES_HZ = np.array([2.0, 6.0, 10.0, 14.0, 22.0])
STAGES = (np.arange(60) % 5).astype(np.int8)
TRAIN, HELD_OUT = np.arange(40), np.arange(40, 60)


@pytest.fixture(scope="module")
def epochs() -> NDArray[np.float32]:
    generator = np.random.default_rng(0)
    phase = generator.uniform(0, 6, (60, 1))
    signal = np.sin(2 * np.pi * RATES_HZ[STAGES][:, None] * np.arange(600) / 100 + phase)
    return (signal + generator.normal(0, 0.3, signal.shape))[:, None].astype(np.float32)


def labelled(epochs: NDArray[np.float32], rows: NDArray[np.int64]) -> Labelled:
    return Labelled(lambda some: epochs[some], lambda some: STAGES[some], rows)


def network_of(spec: FinetuneSpec, seed: int = 3) -> Staging:
    return build_staging(EncoderSpec(latent_dim=16).build(1, seed), 16, spec, seed)


def spec_of(**changes: Any) -> FinetuneSpec:
    small = {"steps": 60, "batch_size": 32, "learning_rate": 3e-3, "dropout": 0.1}
    return FinetuneSpec.model_validate({**small, **changes})


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("classifier", ["linear", "mlp"])
def test_it_learns_what_can_be_told(epochs: NDArray[np.float32], classifier: str) -> None:
    spec = spec_of(classifier=classifier)
    network = network_of(spec)
    checks = fine_tune(
        network, spec, labelled(epochs, TRAIN), {"seed": 0}, validation=labelled(epochs, HELD_OUT)
    )
    guessed = network.stage(lambda rows: epochs[rows], HELD_OUT)
    assert (guessed == STAGES[HELD_OUT]).mean() > 0.8
    assert [check.step for check in checks] == list(range(6, 61, 6))
    assert checks[-1].loss < checks[0].loss


def test_draws_are_named_by_the_axes_and_leave_others_alone(epochs: NDArray[np.float32]) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    spec, ends = spec_of(steps=5), []
    for seed in (0, 0, 1):
        network = network_of(spec)
        fine_tune(network, spec, labelled(epochs, TRAIN), {"seed": seed})
        ends.append(state(network))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert not all(torch.equal(ends[0][name], ends[2][name]) for name in ends[0])


def test_on_a_cpu_it_leaves_the_gpus_alone(
    epochs: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_rng_state", asked.append)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: None)
    spec = spec_of(steps=1)
    fine_tune(network_of(spec), spec, labelled(epochs, TRAIN), {"seed": 0})
    assert asked == []


@pytest.mark.parametrize(("layers", "moved"), [("none", ()), ("last", ("head",)), ("all", None)])
def test_only_the_layers_asked_for_are_trained(
    epochs: NDArray[np.float32], layers: str, moved: tuple[str, ...] | None
) -> None:
    spec = spec_of(layers=layers, steps=3)
    network = network_of(spec)
    before = state(network)
    fine_tune(network, spec, labelled(epochs, TRAIN), {"seed": 0})
    changed = {
        name.split(".")[1]
        for name, value in network.state_dict().items()
        if name.startswith("encoder") and not torch.equal(value, before[name])
    }
    # Batch norm's running means are in the state too: what is frozen keeps those as well.
    assert changed == ({"convolutions", "head"} if moved is None else set(moved))
    assert all(weight.requires_grad for weight in network.parameters())


def test_the_last_block_of_a_network_that_wraps_another_is_that_of_the_other() -> None:
    inner = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Dropout(0.5))
    wrapped = nn.Sequential(nn.Sequential(inner))
    assert _last_block(wrapped) is inner[2]
    assert _last_block(inner[2]) is inner[2]


def test_the_encoder_has_a_learning_rate_of_its_own(epochs: NDArray[np.float32]) -> None:
    moves = []
    for rate in (None, 1e-6):
        spec = spec_of(steps=3, encoder_learning_rate=rate)
        network = network_of(spec)
        before = network.encoder.get_parameter("head.0.weight").clone()
        fine_tune(network, spec, labelled(epochs, TRAIN), {"seed": 0})
        moves.append((network.encoder.get_parameter("head.0.weight") - before).abs().max().item())
    assert moves[0] > 100 * moves[1] > 0


def test_training_stops_where_it_does_not_improve_and_keeps_the_best(
    epochs: NDArray[np.float32],
) -> None:
    spec = spec_of(check_interval=5, min_improvement=0.3, steps=500)
    network = network_of(spec)
    held_out, seen = labelled(epochs, HELD_OUT), list[tuple[Check, dict[str, torch.Tensor]]]()
    checks = fine_tune(
        network, spec, labelled(epochs, TRAIN), {"seed": 0}, validation=held_out,
        on_check=lambda check: seen.append((check, state(network))),
    )  # fmt: skip
    scores = [check.macro_f1 for check in checks]
    assert checks[-1].step < 500
    assert scores[-1] < max(scores[:-1]) + 0.3
    assert all(
        later >= max(scores[:place]) + 0.3 for place, later in enumerate(scores[:-1]) if place
    )
    best = seen[int(np.argmax(scores))][1]
    assert all(torch.equal(best[name], value) for name, value in network.state_dict().items())


def test_a_diverged_training_is_an_outcome(epochs: NDArray[np.float32]) -> None:
    spec = spec_of(steps=20)
    network = network_of(spec)
    with torch.no_grad():
        network.encoder.get_parameter("head.0.weight").fill_(float("nan"))
    checks = fine_tune(
        network, spec, labelled(epochs, TRAIN), {}, validation=labelled(epochs, HELD_OUT)
    )
    assert len(checks) == 1
    assert np.isnan(checks[0].loss)


def test_balanced_weights_make_each_stage_that_is_there_count_alike() -> None:
    stages = np.array([0] * 6 + [2] * 3 + [4], dtype=np.int8)
    weights = _class_weights(stages, "balanced").numpy()
    totals = [weights[stage] * (stages == stage).sum() for stage in (0, 2, 4)]
    np.testing.assert_allclose(totals, 10 / 3, rtol=1e-6)
    assert weights[[1, 3]].tolist() == [0, 0]
    assert _class_weights(stages, "none").tolist() == [1] * 5


def test_a_stage_that_is_absent_from_training_is_no_obstacle(epochs: NDArray[np.float32]) -> None:
    without = TRAIN[STAGES[TRAIN] != 3]
    for weights in ("none", "balanced"):
        spec = spec_of(steps=10, class_weights=weights)
        network = network_of(spec)
        fine_tune(network, spec, labelled(epochs, without), {})
        assert all(value.isfinite().all() for value in network.state_dict().values())
