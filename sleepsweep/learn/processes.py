"""Several processes that train one network: what they exchange, and layers that see all epochs.

The loss of a whole batch is the same number on every process; each computes its gradient with
respect to its own share of the epochs, and the shares' gradients add up to that of one process.
"""

import io
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from sleepsweep.errors import UserError
from sleepsweep.learn.precision import at_least_float32
from sleepsweep.learn.runningstatistics import remember


@dataclass(frozen=True)
class Group:
    """The processes that train together: this one's number, and how many there are."""

    rank: int
    size: int

    @property
    def leads(self) -> bool:
        """Whether this process decides: it checks, saves and tells."""
        return self.rank == 0

    def share(self, whole: Tensor) -> Tensor:
        """Return this process's rows of what is of a whole batch, which all have in common."""
        rows = len(whole) // self.size
        return whole[self.rank * rows : (self.rank + 1) * rows]

    def gathered(self, own: Tensor) -> Tensor:
        """Return the rows of all processes; the gradient is that of this one's own."""
        gathered: Tensor = _Gather.apply(own, self)  # type: ignore[no-untyped-call]
        return gathered

    def added(self, own: Tensor) -> Tensor:
        """Return the sum over all processes; so is the gradient."""
        added: Tensor = _Add.apply(own)  # type: ignore[no-untyped-call]
        return added

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the sum over all processes in the place of each parameter's gradient."""
        gradients = [weight.grad for weight in parameters if weight.grad is not None]
        joined = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(joined)
        parts = torch.split(joined, [gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def told(self, what: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the leading process gives: tensors and plain values by name."""
        packed = io.BytesIO()
        if what is not None:
            torch.save(what, packed)
        said = [packed.getvalue()]
        dist.broadcast_object_list(said, src=0, device=torch.device("cpu"))
        unpacked: dict[str, Any] = torch.load(
            io.BytesIO(said[0]), map_location="cpu", weights_only=True
        )
        return unpacked


@contextmanager
def joined(rank: int, size: int, meeting: Path, device: torch.device) -> Iterator[Group]:
    """Join the processes that meet in the file `meeting`, for the block.

    They talk over this machine's loopback interface alone: nothing else can reach them.
    """
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    on_gpu = device.type == "cuda"
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if on_gpu else "gloo", init_method=f"file://{meeting}", rank=rank,
        world_size=size, device_id=device if on_gpu else None,
    )  # fmt: skip
    try:
        yield Group(rank, size)
    finally:
        dist.destroy_process_group()


def see_all(network: nn.Module, group: Group) -> None:
    """Let batch norms and dropouts of a network act as if it saw the epochs of all processes.

    Weights and their names stay, and a layer that is used in several places is one in all of them.
    Raises `UserError` for a dropout that is no mask.
    """
    shared: dict[nn.Module, nn.Module] = {}
    for part in list(network.modules()):
        for name, layer in list(part._modules.items()):
            if layer is not None and (seeing := _seeing_all(layer, group)) is not None:
                setattr(part, name, shared.setdefault(layer, seeing))


def _seeing_all(layer: nn.Module, group: Group) -> nn.Module | None:
    """What stands for a batch norm or a dropout among several processes; None for other layers."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        return _GlobalBatchNorm(layer, group)
    if isinstance(layer, ALPHA):
        raise UserError(
            f"{type(layer).__name__} cannot be shared by several devices, as it is more than "
            "a mask; use Dropout, or one device."
        )
    if isinstance(layer, nn.modules.dropout._DropoutNd):
        return _GlobalDropout(layer, group)
    return None


ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, group: Group) -> Tensor:
        ctx.group = group
        parts = [torch.empty_like(own) for _ in range(group.size)]
        dist.all_gather(parts, own.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.group.share(gradients[0]), None


class _Add(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


class _GlobalBatchNorm(nn.modules.batchnorm._BatchNorm):
    """A batch norm whose statistics are of all processes' epochs (Ioffe & Szegedy 2015).

    As `torch.nn.SyncBatchNorm`, which has no way on a CPU; each process has as many epochs.
    """

    def __init__(self, own: nn.modules.batchnorm._BatchNorm, group: Group) -> None:
        super().__init__(
            own.num_features, own.eps, own.momentum, own.affine, own.track_running_stats
        )
        # The layer's very own weights and statistics: the optimiser holds the former.
        self._parameters, self._buffers = own._parameters, own._buffers
        self.training, self.group = own.training, group

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        """Any number of dimensions will do."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        if not self.training:
            return super().forward(input)  # which the leading process may do alone
        values = at_least_float32(input)
        dims = [place for place in range(values.dim()) if place != 1]
        count = self.group.size * values.numel() // values.shape[1]
        shape = [1, -1, *[1] * (values.dim() - 2)]
        mean = self.group.added(values.sum(dims)) / count
        centred = values - mean.view(shape)
        # In two passes: squares of raw sums would lose the digits of a small variance.
        variance = self.group.added(centred.square().sum(dims)) / count
        remember(self, mean.detach(), variance.detach() * count / (count - 1))
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        normal = centred * scale.view(shape)
        return (normal if self.bias is None else normal + self.bias.view(shape)).to(input.dtype)


class _GlobalDropout(nn.Module):
    """A dropout that draws for the epochs of all processes, and keeps this one's part."""

    def __init__(self, own: nn.modules.dropout._DropoutNd, group: Group) -> None:
        super().__init__()
        self.own, self.group = own, group

    def forward(self, values: Tensor) -> Tensor:
        if not self.training:
            return values
        ones = values.new_ones(self.group.size * len(values), *values.shape[1:])
        kept: Tensor = self.own(ones)
        return values * self.group.share(kept)
