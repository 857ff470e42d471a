from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.losses.nt_xent import NTXent
from sleepsweep.learn.pretrain import Pretraining, Streams
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.learn.rows import Gather, spread_evenly
from sleepsweep.seeds import stream

ROWS = np.arange(50)
HELD_OUT = np.arange(50, 80)
Build = Callable[..., Pretraining]

SETTINGS = [
    {},
    {"projector": "linear", "projector_dim": 4},
    {"projector": "mlp", "warmup_steps": 3, "schedule": "cosine"},
    {"loss": "vicreg", "projector": "mlp", "weight_decay": 0.1, "clip_norm": 0.5},
    {"precision": "bfloat16"},
    {"precision": "bfloat16", "projector": "mlp"},
]


def weights(run: Pretraining) -> list[Tensor]:
    return [*run.encoder.state_dict().values(), *run.projector.state_dict().values()]


def equal(one: Pretraining, two: Pretraining) -> bool:
    pairs = zip(weights(one), weights(two), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_resumed_run_continues_bit_for_bit(
    settings: dict[str, object], pretraining: Build, gather: Gather, tmp_path: Path
) -> None:
    whole = pretraining(**settings)
    whole.run(gather, ROWS, 4)
    late = whole.run(gather, ROWS, 9)
    first = pretraining(**settings)
    first.run(gather, ROWS, 4)
    save_checkpoint(first.state(), tmp_path / "state.pt")
    torch.rand(100)
    second = pretraining(**settings)
    second.restore(load_checkpoint(tmp_path / "state.pt"))
    assert second.run(gather, ROWS, 9) == late
    assert equal(whole, second)


def test_the_default_is_adam_on_nt_xent_of_the_embeddings_bit_for_bit(
    pretraining: Build, gather: Gather
) -> None:
    run, other = pretraining(), pretraining()
    encoder, loss = other.encoder.train(), NTXent(0.1)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    losses = []
    for step in range(5):
        other.step = step
        torch.manual_seed(stream("dropout", step=step, **run.streams.block))
        draws = Generator().manual_seed(stream("views", step=step, **run.streams.views))
        one, two = run.views(torch.from_numpy(gather(other.next_batch(ROWS))), draws)
        value = loss(encoder(one), encoder(two))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    assert run.run(gather, ROWS, 5) == sum(losses) / 5
    assert equal(run, other)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_loss_falls(settings: dict[str, object], pretraining: Build, gather: Gather) -> None:
    run = pretraining(**{**settings, "learning_rate": 1e-2, "steps": 150})
    start = run.run(gather, ROWS, 20)
    run.run(gather, ROWS, 130)
    assert run.run(gather, ROWS, 150) < 0.9 * start


def test_a_run_from_before_there_were_projectors_can_be_resumed(
    pretraining: Build, gather: Gather
) -> None:
    run = pretraining()
    run.run(gather, ROWS, 2)
    state = {key: value for key, value in run.state().items() if key != "projector"}
    again = pretraining()
    again.restore(state)
    assert again.step == 2
    with pytest.raises(RuntimeError, match="Missing key"):
        pretraining(projector="mlp").restore(state)


def test_a_projector_is_trained_and_the_encoder_begins_with_the_same_weights(
    pretraining: Build, gather: Gather
) -> None:
    plain, with_head = pretraining(), pretraining(projector="mlp")
    pairs = zip(plain.encoder.parameters(), with_head.encoder.parameters(), strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)
    assert equal(with_head, pretraining(projector="mlp"))
    before = [weight.clone() for weight in with_head.projector.parameters()]
    with_head.run(gather, ROWS, 1)
    after = with_head.projector.parameters()
    assert not any(torch.equal(left, right) for left, right in zip(before, after, strict=True))


def test_half_precision_is_of_the_network_and_not_of_its_weights(
    pretraining: Build, gather: Gather
) -> None:
    seen: set[torch.dtype] = set()
    run = pretraining(precision="bfloat16")
    for layer in run.encoder.modules():
        if isinstance(layer, nn.Conv1d | nn.Linear):
            layer.register_forward_hook(lambda _, __, output: seen.add(output.dtype))
    half, full = run.run(gather, ROWS, 1), pretraining().run(gather, ROWS, 1)
    assert seen == {torch.bfloat16}
    assert {weight.dtype for weight in run.encoder.parameters()} == {torch.float32}
    assert half != full
    assert half == pytest.approx(full, rel=0.02)


def test_a_clipped_gradient_has_the_norm_asked_for(pretraining: Build, gather: Gather) -> None:
    run = pretraining(clip_norm=0.01, projector="linear")
    run.run(gather, ROWS, 1)
    parts = [*run.encoder.parameters(), *run.projector.parameters()]
    norms = torch.stack([part.grad.norm() for part in parts if part.grad is not None])
    assert float(norms.norm()) == pytest.approx(0.01, rel=1e-3)


def test_decay_is_decoupled_from_the_gradient(pretraining: Build, gather: Gather) -> None:
    plain, decayed = pretraining(), pretraining(weight_decay=0.1)
    start = pretraining().encoder.get_parameter("head.0.weight").detach().clone()
    for run in (plain, decayed):
        run.run(gather, ROWS, 1)
    one, two = (run.encoder.get_parameter("head.0.weight") for run in (plain, decayed))
    torch.testing.assert_close(one - two, 1e-3 * 0.1 * start, rtol=1e-3, atol=1e-8)


def test_the_rate_of_each_step_reaches_the_optimiser(pretraining: Build, gather: Gather) -> None:
    run = pretraining(warmup_steps=2, schedule="cosine")
    rates = []
    for step in range(9):
        run.run(gather, ROWS, step + 1)
        rates.append(run.optimiser.param_groups[0]["lr"])
    assert rates == [run.spec.rate(step) for step in range(9)]


def test_trials_of_a_block_see_the_same_batches_and_other_draws(
    pretraining: Build, gather: Gather
) -> None:
    one, two = pretraining("one"), pretraining("two")
    for step in range(7):
        one.step = two.step = step
        assert np.array_equal(one.next_batch(ROWS), two.next_batch(ROWS))
    one.step = two.step = 0
    assert one.run(gather, ROWS, 1) != two.run(gather, ROWS, 1)


def test_a_pass_never_repeats_an_epoch_and_the_next_pass_has_another_order(
    pretraining: Build,
) -> None:
    run = pretraining()
    passes = []
    for start in (0, 3):
        rows = []
        for run.step in range(start, start + 3):
            rows.append(run.next_batch(ROWS))
        passes.append(np.concatenate(rows))
    assert all(len(np.unique(rows)) == 48 for rows in passes)
    assert not np.array_equal(*passes)


def test_a_batch_larger_than_the_data_is_all_the_data(pretraining: Build) -> None:
    assert sorted(pretraining().next_batch(ROWS[:10])) == list(range(10))


def test_the_global_generator_is_left_as_it_was(pretraining: Build, gather: Gather) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    run = pretraining(projector="mlp")
    run.run(gather, ROWS, 2)
    run.validation_loss(gather, HELD_OUT)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_diverged_run_has_a_nan_loss(pretraining: Build, gather: Gather) -> None:
    run = pretraining()
    with torch.no_grad():
        run.encoder.get_parameter("head.0.weight").fill_(float("nan"))
    assert np.isnan(run.run(gather, ROWS, 1))
    assert np.isnan(run.validation_loss(gather, HELD_OUT))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_validation_loss_is_always_the_same_and_changes_nothing(
    settings: dict[str, object], pretraining: Build, gather: Gather
) -> None:
    watched, alone = pretraining(**settings), pretraining(**settings)
    early = watched.validation_loss(gather, HELD_OUT)
    watched.run(gather, ROWS, 4)
    late = watched.validation_loss(gather, HELD_OUT)
    assert watched.validation_loss(gather, HELD_OUT) == late != early
    watched.run(gather, ROWS, 9)
    alone.run(gather, ROWS, 9)
    assert equal(watched, alone)


def test_a_validation_loss_is_the_mean_over_full_batches_without_dropout(
    pretraining: Build, gather: Gather
) -> None:
    def same(epochs: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        return epochs, epochs

    run, asked = pretraining(views=same, batch_size=12), []

    def recorded(rows: np.ndarray) -> np.ndarray:
        asked.append(rows)
        return gather(rows)

    value = run.validation_loss(recorded, HELD_OUT)
    assert [len(rows) for rows in asked] == [12, 12]
    assert len(np.unique(np.concatenate(asked))) == 24
    with torch.no_grad():
        embedded = [run.encoder.eval()(torch.from_numpy(gather(rows))) for rows in asked]
    assert value == pytest.approx(np.mean([float(NTXent(0.1)(z, z)) for z in embedded]))


def test_few_epochs_have_a_validation_loss_and_one_has_none(
    pretraining: Build, gather: Gather
) -> None:
    assert np.isfinite(pretraining().validation_loss(gather, HELD_OUT[:5]))
    with pytest.raises(ValueError, match="needs two epochs at least; there are 1"):
        pretraining().validation_loss(gather, HELD_OUT[:1])


def test_rows_are_spread_evenly_from_the_first_to_the_last() -> None:
    rows = np.arange(1000, 11000)
    some = spread_evenly(rows, 2000)
    assert (len(some), some[0], some[-1]) == (2000, 1000, 10999)
    assert set(np.diff(some)) <= {5, 6}
    assert np.array_equal(spread_evenly(rows[:7], 2000), rows[:7])
    assert len(spread_evenly(rows[:0], 2000)) == 0


def test_epochs_are_drawn_and_augmented_where_the_network_is() -> None:
    seen: list[torch.device] = []

    def views(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        seen.extend([epochs.device, generator.device])
        return epochs, epochs

    encoder = EncoderSpec(latent_dim=8).build(1, 0)
    run = Pretraining(encoder, PretrainSpec(projector="mlp"), views, Streams({}, {}))
    run.run(lambda rows: np.zeros((len(rows), 1, 600), np.float32), ROWS, 1)
    assert set(seen) == {run.device} == {torch.device("cpu")}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_gpu_computes_what_a_cpu_does_and_its_generator_is_left_as_it_was(
    settings: dict[str, object], pretraining: Build, gather: Gather
) -> None:
    def same(epochs: Tensor, _: Generator) -> tuple[Tensor, Tensor]:
        return epochs, 0.9 * epochs

    before = torch.cuda.get_rng_state()
    on_cpu, other = (pretraining(views=same, **settings) for _ in range(2))
    on_gpu = Pretraining(other.encoder.cuda(), other.spec, same, other.streams)
    losses = [run.validation_loss(gather, HELD_OUT) for run in (on_cpu, on_gpu)]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert np.isfinite(on_gpu.run(gather, ROWS, 3))
    assert torch.equal(torch.cuda.get_rng_state(), before)
