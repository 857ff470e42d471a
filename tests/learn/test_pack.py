"""Runs of a pack end as they would have alone, whichever program trains them.

In float64 both are compared digit by digit. In float32 a weight cannot be: a bias before a batch
norm has a gradient of 0, of which Adam takes whatever rounding leaves of it to the length of a
step. Those biases change no output in training, and what trials report is compared instead.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from sleepsweep.learn import pack
from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint
from sleepsweep.learn.encoders import ENCODERS, Encoder
from sleepsweep.learn.losses import LOSSES
from sleepsweep.learn.pack import batched, train_pack
from sleepsweep.learn.pack.adamw import StackedAdamW
from sleepsweep.learn.pack.alike import likeness
from sleepsweep.learn.pack.dropout import Draws
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams
from sleepsweep.learn.rows import Gather
from sleepsweep.plan import Plan
from sleepsweep.probedrun import ProbedRun

ROWS = np.arange(50)
TOLERANCE = 1e-6
"""Of weights and moments in float64, after steps of 1e-3 to 1e-2."""
Build = Callable[..., Pretraining]
Train = Callable[[Sequence[Pretraining], int], list[float]]

KINDS: list[dict[str, Any]] = [
    {},
    {"projector": "mlp"},
    {"loss": "vicreg", "projector": "mlp", "projector_dim": 4},
]
OWN: list[dict[str, Any]] = [
    {},
    {"learning_rate": 3e-3, "temperature": 0.3, "weight_decay": 0.1, "clip_norm": 0.05},
    {"schedule": "cosine", "warmup_steps": 3},
    {"learning_rate": 1e-2, "clip_norm": 0.5},
]
"""What members of a pack are given each."""


def noisy(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    one, two = (torch.randn(epochs.shape, generator=generator).double() for _ in range(2))
    return epochs + 0.1 * one, epochs + 0.2 * two


def exact(run: Pretraining, dropout: float = 0.2) -> Pretraining:
    run.encoder.double()
    run.projector.double()
    for layer in run.encoder.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = dropout
    return run


def members(build: Build, **changes: Any) -> list[Pretraining]:
    """Four that differ in all that they may; the last is of another block."""
    runs = [
        exact(build(f"policy {place}", noisy, **changes, **own), dropout)
        for place, (own, dropout) in enumerate(zip(OWN, (0.2, 0.2, 0.5, 0.0), strict=True))
    ]
    runs[3].streams.block["seed"] = 1
    return runs


def alone(gather: Gather) -> Train:
    return lambda runs, steps: [run.run(gather, ROWS, run.step + steps) for run in runs]


def packed(gather: Gather, program: pack.Program) -> Train:
    return lambda runs, steps: train_pack(runs, gather, [ROWS] * len(runs), steps, program)


def story(train: Train, build: Build, gather: Gather, place: Path) -> tuple[list[float], list[Any]]:
    """Three of four, at other steps; one is stopped, one resumed, one joins; then two are left."""
    first, second, third, fourth = members(build)
    second.run(gather, ROWS, 2)
    losses = train([first, second, third], 3)
    save_checkpoint(first.state(), place / "first.pt")
    again = members(build)[0]
    again.restore(load_checkpoint(place / "first.pt"))
    losses += train([again, third, fourth], 2)
    losses += train([third, fourth], 1)
    return losses, [run.state() for run in (again, second, third, fourth)]


def assert_same(one: Any, two: Any, **tolerance: float) -> None:
    torch.testing.assert_close(one, two, **tolerance)


@pytest.mark.parametrize("changes", KINDS, ids=str)
@pytest.mark.parametrize("program", ["in turn", "batched"])
def test_a_run_ends_as_alone_whoever_leaves_or_joins_and_when_resumed(
    program: pack.Program, changes: dict[str, Any], pretraining: Build, gather: Gather,
    tmp_path: Path,
) -> None:  # fmt: skip
    build = partial(pretraining, **changes)
    losses, states = story(packed(gather, program), build, gather, tmp_path)
    expected, as_alone = story(alone(gather), build, gather, tmp_path)
    assert [state["step"] for state in states] == [5, 5, 6, 3]
    if program == "in turn":
        assert losses == expected
        assert_same(states, as_alone, rtol=0, atol=0)
    else:
        assert losses == pytest.approx(expected, rel=1e-9)
        assert_same(states, as_alone, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["dropout", "learning_rate", "temperature", "streams"])
def test_the_tolerance_would_tell_a_run_of_other_settings(
    name: str, pretraining: Build, gather: Gather
) -> None:
    runs = [exact(pretraining("one", noisy)) for _ in range(2)]
    match name:
        case "dropout":
            exact(runs[1], 0.201)
        case "streams":
            runs[1].streams.views["policy"] = "other"
        case _:
            value = 1.01 * getattr(runs[1].spec, name)
            runs[1] = exact(pretraining("one", noisy, **{name: value}))
    batched(runs, gather, [ROWS, ROWS], 2)
    one, two = (run.encoder.get_parameter("convolutions.0.weight") for run in runs)
    assert float((one - two).detach().abs().max()) > TOLERANCE


def small(kind: type[Encoder], loss: str) -> Pretraining:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = kind(channels=1, latent_dim=4, dropout=0.2)
    spec = PretrainSpec(loss=loss, projector="mlp", projector_dim=4, batch_size=4)
    return exact(Pretraining(encoder, spec, noisy, Streams({"seed": 0}, {"policy": "one"})))


@pytest.mark.parametrize("loss", [name for name, kind in LOSSES.all().items() if kind.batches])
@pytest.mark.parametrize("name", [name for name, kind in ENCODERS.all().items() if kind.batches])
def test_what_says_that_it_can_be_batched_can(name: str, loss: str, gather: Gather) -> None:
    *pair, single = (small(ENCODERS.get(name), loss) for _ in range(3))
    losses = packed(gather, "batched")(pair, 1)
    assert losses == pytest.approx(2 * [single.run(gather, ROWS, 1)], rel=1e-9)
    for run in pair:
        assert_same(run.state(), single.state(), rtol=0, atol=TOLERANCE)


def test_adamw_of_each_row_is_torchs(pretraining: Build) -> None:
    runs = [exact(pretraining(weight_decay=decay)) for decay in (0.0, 0.1, 0.5)]
    weights = torch.randn(3, 7, dtype=torch.float64)
    single = [row.clone().requires_grad_() for row in weights]
    optimisers = []
    for run, row, decay in zip(runs, single, (0.0, 0.1, 0.5), strict=True):
        optimisers.append(torch.optim.AdamW([row], weight_decay=decay))
        run.optimiser = torch.optim.AdamW([torch.zeros(3), torch.zeros(2, 2)], weight_decay=decay)
    stacked = StackedAdamW(runs, weights)
    for step in range(20):
        gradient = torch.randn(3, 7, dtype=torch.float64) * 10.0 ** (step % 5 - 6)
        rates = [1e-3, 1e-2 / (step + 1), 0.0]
        stacked.step(gradient, rates)
        for row, own, optimiser, rate in zip(single, gradient, optimisers, rates, strict=True):
            row.grad = own.clone()
            optimiser.param_groups[0]["lr"] = rate
            optimiser.step()
    assert_same(weights, torch.stack(single).detach(), rtol=1e-12, atol=1e-15)
    stacked.leave(runs)
    for run, row, optimiser in zip(runs, single, optimisers, strict=True):
        state = run.optimiser.state_dict()
        assert state["param_groups"][0]["lr"] == optimiser.param_groups[0]["lr"]
        for name in ("exp_avg", "exp_avg_sq"):
            parts = [state["state"][place][name] for place in range(2)]
            assert [part.shape for part in parts] == [(3,), (2, 2)]
            found = torch.cat([part.flatten() for part in parts])
            assert_same(found, optimiser.state[row][name], rtol=1e-12, atol=0)


def test_the_dropouts_of_a_block_at_one_step_are_drawn_once_and_as_alone(
    pretraining: Build,
) -> None:
    runs = [exact(pretraining(policy)) for policy in ("one", "two", "three", "four")]
    runs[1].step = 1
    exact(runs[3], 0.5)
    draws = Draws(runs)
    assert draws.drawn_by.tolist() == [0, 1, 0, 2]
    draws.begin()
    values = torch.ones(16, 8, 5)
    twice = [draws.factors("convolutions.3", values) for _ in range(2)]
    for place, run in enumerate((runs[0], runs[1], runs[3])):
        torch.manual_seed(run.dropout_seed)
        for factors in twice:
            assert torch.equal(factors[place], run.encoder.get_submodule("convolutions.3")(values))
    assert not torch.equal(*twice)


def test_a_diverged_run_leaves_the_others_alone(pretraining: Build, gather: Gather) -> None:
    runs, single = members(pretraining), members(pretraining)
    with torch.no_grad():
        runs[0].encoder.get_parameter("head.0.weight").fill_(float("nan"))
    losses = batched(runs[:3], gather, [ROWS] * 3, 2)
    expected = [run.run(gather, ROWS, 2) for run in single[1:3]]
    assert np.isnan(losses[0])
    assert losses[1:] == pytest.approx(expected, rel=1e-9)
    assert all(bool(value.isfinite().all()) for value in runs[1].encoder.state_dict().values())


def test_where_memory_runs_out_the_runs_stand_where_they_stood(
    pretraining: Build, gather: Gather
) -> None:
    def full(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        calls.append(len(calls))
        if len(calls) == 3:
            raise torch.OutOfMemoryError("full")
        return noisy(epochs, generator)

    calls: list[int] = []
    runs, single = members(pretraining)[:2], members(pretraining)[:2]
    runs[0].views = full
    with pytest.raises(torch.OutOfMemoryError, match="full"):
        batched(runs, gather, [ROWS] * 2, 5)
    assert len(calls) == 3
    runs[0].views = noisy
    for run, own in zip(runs, single, strict=True):
        assert run.step == 0
        assert_same(run.state(), own.state(), rtol=0, atol=0)
        assert run.run(gather, ROWS, 2) == own.run(gather, ROWS, 2)


@pytest.mark.parametrize("program", ["in turn", "batched"])
def test_a_batch_is_gathered_once_for_all_that_train_on_it(
    program: pack.Program, pretraining: Build, gather: Gather
) -> None:
    asked = []

    def recorded(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return gather(rows)

    runs = members(pretraining)
    runs[1].step = 2
    train_pack(runs, recorded, [ROWS] * 4, 1, program)
    # The first and the third; the second is at another step and the fourth of another block.
    assert len(asked) == 3


@pytest.mark.parametrize("program", ["in turn", "batched"])
def test_the_global_generator_is_left_as_it_was(
    program: pack.Program, pretraining: Build, gather: Gather
) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    train_pack(members(pretraining), gather, [ROWS] * 4, 2, program)
    assert torch.equal(torch.get_rng_state(), before)


def test_those_that_are_alike_are_batched_and_losses_come_in_their_order(
    pretraining: Build, gather: Gather, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def counted(runs: Sequence[Pretraining], *rest: Any) -> list[float]:
        sizes.append([run.spec.batch_size for run in runs])
        return batched(runs, *rest)

    def made() -> list[Pretraining]:
        return [exact(pretraining("one", noisy, batch_size=size)) for size in (16, 8, 16, 8, 4)]

    monkeypatch.setattr(pack, "batched", counted)
    losses = packed(gather, "batched")(made(), 2)
    assert losses == pytest.approx(alone(gather)(made(), 2), rel=1e-9)
    assert sizes == [[16, 16], [8, 8]]
    packed(gather, "auto")(made(), 1)  # on a CPU they take turns
    assert len(sizes) == 2
    assert train_pack([], gather, [], 2) == []


def test_what_cannot_be_one_program_is_told_apart(pretraining: Build) -> None:
    def other(changed: Callable[[Pretraining], object]) -> Any:
        run = pretraining()
        changed(run)
        return likeness(run, ROWS)

    usual = likeness(pretraining(), ROWS)
    assert all(likeness(pretraining(**own), ROWS) == usual for own in OWN)
    assert likeness(pretraining(batch_size=80), ROWS) == likeness(pretraining(batch_size=50), ROWS)
    others = [
        likeness(pretraining(), ROWS[:10]),
        likeness(pretraining(projector="linear"), ROWS),
        likeness(pretraining(projector="mlp", loss="vicreg"), ROWS),
        likeness(pretraining(precision="bfloat16"), ROWS),
        other(lambda run: run.encoder.double()),
        other(lambda run: setattr(run.encoder.convolutions[0], "stride", (4,))),
        other(lambda run: setattr(run.encoder, "batches", False)),
    ]
    assert len({usual, *others}) == 1 + len(others)
    assert others[-1] is None


def test_an_encoder_that_does_not_say_that_it_can_be_batched_trains_in_turn(
    pretraining: Build, gather: Gather
) -> None:
    runs, single = members(pretraining)[:2], members(pretraining)[:2]
    runs[0].encoder.batches = runs[1].encoder.batches = False  # type: ignore[misc]
    assert packed(gather, "batched")(runs, 2) == alone(gather)(single, 2)


def test_half_precision_is_batched_too(pretraining: Build, gather: Gather) -> None:
    runs, single = ([pretraining(p, precision="bfloat16") for p in "ab"] for _ in range(2))
    assert packed(gather, "batched")(runs, 1) == pytest.approx(alone(gather)(single, 1), rel=0.02)


def test_the_rungs_of_trials_are_those_of_trials_alone(plan: Plan) -> None:
    trials = [slot.trial for slot in plan.slots if slot.trial is not None][:3]
    together, single = ([ProbedRun(each, plan.store) for each in trials] for _ in range(2))
    rows = [plan.store.rows(trial.train) for trial in trials]
    for step in (1, 3):
        runs = [probed.pretraining for probed in together]
        losses = train_pack(runs, plan.store.gather, rows, step - runs[0].step, "batched")
        assert losses == pytest.approx([probed.train(step) for probed in single], rel=1e-3)
        for one, two in zip(together, single, strict=True):
            (found, spread), (expected, as_alone) = one.probe(), two.probe()
            assert spread == pytest.approx(as_alone, rel=0.02)
            assert found.keys() == expected.keys()
            pairs = [(np.array(found[each]), np.array(expected[each])) for each in found]
            # Of 40 epochs at most one is staged otherwise, which two cells of the matrix tell.
            assert all(np.abs(this - that).sum() <= 2 for this, that in pairs)
