import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from sleepsweep.learn.checkpoint import load_checkpoint, save_checkpoint
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams

ROWS = np.arange(50)
EPOCHS = np.random.default_rng(0).normal(size=(50, 1, 600)).astype(np.float32)
BLOCK = {"split": 0, "seed": 0}


def gather(rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return EPOCHS[rows]


def noisy(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    one, two = (torch.randn(epochs.shape, generator=generator) for _ in range(2))
    return epochs + 0.1 * one, epochs + 0.1 * two


def pretraining(policy: str = "noise") -> Pretraining:
    encoder = EncoderSpec(latent_dim=8).build(1, 0)
    streams = Streams({**BLOCK}, {**BLOCK, "policy": policy})
    return Pretraining(encoder, PretrainSpec(batch_size=16, steps=9), noisy, streams)


def weights(run: Pretraining) -> list[Tensor]:
    return list(run.encoder.state_dict().values())


def test_a_resumed_run_continues_bit_for_bit(tmp_path: Path) -> None:
    whole = pretraining()
    whole.run(gather, ROWS, 4)
    late = whole.run(gather, ROWS, 9)
    first = pretraining()
    first.run(gather, ROWS, 4)
    save_checkpoint(first.state(), tmp_path / "state.pt")
    torch.rand(100)
    second = pretraining()
    second.restore(load_checkpoint(tmp_path / "state.pt"))
    assert second.run(gather, ROWS, 9) == late
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(second), strict=True))


def test_the_loss_falls() -> None:
    run = pretraining()
    start = run.run(gather, ROWS, 3)
    run.run(gather, ROWS, 40)
    assert run.run(gather, ROWS, 43) < start


def test_trials_of_a_block_see_the_same_batches_and_other_draws() -> None:
    one, two = pretraining("one"), pretraining("two")
    for step in range(7):
        one.step = two.step = step
        assert np.array_equal(one._batch(ROWS), two._batch(ROWS))
    one.step = two.step = 0
    assert one.run(gather, ROWS, 1) != two.run(gather, ROWS, 1)


def test_a_pass_never_repeats_an_epoch_and_the_next_pass_has_another_order() -> None:
    run = pretraining()
    passes = []
    for start in (0, 3):
        rows = []
        for run.step in range(start, start + 3):
            rows.append(run._batch(ROWS))
        passes.append(np.concatenate(rows))
    assert all(len(np.unique(rows)) == 48 for rows in passes)
    assert not np.array_equal(*passes)


def test_a_batch_larger_than_the_data_is_all_the_data() -> None:
    run = pretraining()
    assert sorted(run._batch(ROWS[:10])) == list(range(10))


def test_the_global_generator_is_left_as_it_was() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    pretraining().run(gather, ROWS, 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_diverged_run_has_a_nan_loss() -> None:
    run = pretraining()
    with torch.no_grad():
        run.encoder.get_parameter("head.0.weight").fill_(float("nan"))
    assert np.isnan(run.run(gather, ROWS, 1))


def test_a_checkpoint_that_runs_code_is_refused(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    torch.save({"step": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(tmp_path / "bomb.pt")
    assert not (tmp_path / "exploded").exists()
