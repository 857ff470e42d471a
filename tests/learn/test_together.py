"""Two processes train as one does: the same losses, gradients, weights; and on loopback alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from torch import Generator, Tensor, nn

from sleepsweep.learn.encoders import Encoder
from sleepsweep.learn.encoders.convolution import head, stage
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams
from sleepsweep.learn.processes import Group, joined, see_all
from sleepsweep.learn.together import PretrainingTogether

EPOCHS = np.random.default_rng(0).normal(size=(60, 2, 300)).astype(np.float32)
ROWS, HELD_OUT = np.arange(44), np.arange(44, 60)
STREAMS = Streams({"split": 0, "seed": 0}, {"split": 0, "seed": 0, "policy": "noise"})
NT_XENT: dict[str, Any] = {"batch_size": 12, "steps": 5}
VICREG: dict[str, Any] = {
    "batch_size": 12, "steps": 5, "loss": "vicreg", "projector": "mlp", "projector_dim": 6,
    "weight_decay": 0.01, "clip_norm": 0.5,
}  # fmt: skip


class Small(Encoder, abstract=True):
    """Batch norms of both kinds, and dropout before and after the pooling; in float64."""

    def __init__(self) -> None:
        super().__init__(latent_dim=8)
        layers = stage(2, 8, 16, 0.3, stride=8, padding=0, dilation=1, bias=False)
        self.convolutions = nn.Sequential(*layers)
        self.head = head(8, 8, 0.3)
        self.double()

    def features(self, epochs: Tensor) -> Tensor:
        """Map epochs (batch, 2, time) to features (batch, 8)."""
        return self.head(self.convolutions(epochs.double()).mean(dim=-1))


def noisy(epochs: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    one, two = (torch.randn(epochs.shape, generator=generator) for _ in range(2))
    return epochs + 0.1 * one, epochs + 0.1 * two


def gather(rows: Any) -> Any:
    return EPOCHS[rows]


def made(kind: Callable[..., Pretraining], settings: dict[str, Any], *group: Group) -> Pretraining:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = Small()
    run = kind(encoder, PretrainSpec(**settings), noisy, STREAMS, *group)
    run.projector.double()
    return run


def found(run: Pretraining) -> dict[str, Any]:
    """One step's loss and gradients, then the losses of more steps and everything that is left."""
    first = run.run(gather, ROWS, 1)
    gradients = [weight.grad.clone() for weight in run._parameters if weight.grad is not None]
    rest = run.run(gather, ROWS, run.spec.steps)
    validation = run.validation_loss(gather, HELD_OUT)
    after = [*run.encoder.state_dict().values(), *run.projector.state_dict().values()]
    return {"losses": [first, rest, validation], "gradients": gradients, "after": after}


def listening() -> list[str]:
    """Addresses at which this process listens for connections."""
    mine = psutil.Process().net_connections("inet")
    return [each.laddr.ip for each in mine if each.status == psutil.CONN_LISTEN]


def work(rank: int, size: int, place: Path, settings: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    with joined(rank, size, place / "meeting", torch.device("cpu")) as group:
        run = made(PretrainingTogether, settings, group)
        addresses = listening()
        if group.leads:
            told = found(run)
            run.dismiss()
            torch.save(told, place / "found.pt")
        else:
            run.follow(gather, ROWS)
        (place / f"addresses-{rank}.txt").write_text("\n".join([*addresses, *listening()]))


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(NT_XENT, id="nt_xent"),
        pytest.param(VICREG, id="vicreg", marks=pytest.mark.slow),
    ],
)
def test_two_processes_train_as_one_does(tmp_path: Path, settings: dict[str, Any]) -> None:
    processes.spawn(work, args=(2, tmp_path, settings), nprocs=2)
    alone = found(made(Pretraining, settings))
    together = torch.load(tmp_path / "found.pt", weights_only=True)
    assert together["losses"] == pytest.approx(alone["losses"], abs=1e-6)
    assert len(alone["gradients"]) == len(together["gradients"]) > 5
    assert max(float(gradient.abs().max()) for gradient in alone["gradients"]) > 1e-3
    for key in ("gradients", "after"):
        for one, two in zip(alone[key], together[key], strict=True):
            torch.testing.assert_close(two, one, rtol=0, atol=1e-6)
    for rank in range(2):
        addresses = (tmp_path / f"addresses-{rank}.txt").read_text().split()
        assert addresses, "gloo listens somewhere, or this test sees nothing"
        assert set(addresses) <= {"127.0.0.1", "::1"}
    # Nothing is left of the way in which they met.
    assert not dist.is_initialized()


def test_a_layer_in_several_places_is_one_in_all_of_them() -> None:
    norm, dropout = nn.BatchNorm1d(4), nn.Dropout()
    network = nn.Sequential(nn.Linear(4, 4), dropout, norm, nn.Sequential(dropout, norm), norm)
    see_all(network, Group(0, 2))
    inner = network[3]
    assert isinstance(inner, nn.Sequential)
    assert network[2] is network[4] is inner[1] is not norm
    assert network[1] is inner[0] is not dropout
    assert network[2].weight is norm.weight


def test_a_share_of_a_batch_alone_would_train_otherwise() -> None:
    """The tolerance of the test above would tell statistics, negatives and dropout of a half."""
    whole = made(Pretraining, NT_XENT)
    half = made(Pretraining, {**NT_XENT, "batch_size": 6})
    assert abs(whole.run(gather, ROWS, 1) - half.run(gather, ROWS, 1)) > 1e-2
