"""A step of pretraining: what our network takes of plain torch's time, and what all else costs.

    python -m benchmarks.pretraining [--batches 256 1024] [--repeats 7]

The unit is a plain torch step on two views that are in memory: forward of both through
SimpleSleepNet of torch's own layers, NT-Xent, backward, Adam. Against it: the same step with our
network, and with it all of a trial's loop (batch order, gathering epochs from a store, five
augmentations of each view, book-keeping). Beside them the published kind of loop: a `DataLoader`
whose two workers augment epoch by epoch in NumPy, two forwards, Mish written by hand.

One thread each. Ours and plain torch's take turns; the published loop follows, as its workers run
beside whatever else is measured. All of it on simulated nights.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks import reference_augmentations as reference
from benchmarks.augmentations import BEST, BEST_P, policy
from benchmarks.tables import markdown_table, ms
from benchmarks.timing import Work, medians, seconds_of
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.learn.dropout import Dropout
from sleepsweep.learn.encoders import Encoder, SimpleSleepNet
from sleepsweep.learn.encoders.fourier import FourierConv1d
from sleepsweep.learn.losses.nt_xent import NTXent
from sleepsweep.learn.pretrain import Pretraining, PretrainSpec, Streams
from sleepsweep.probedrun import signal_of, views_of

BATCHES, REPEATS = (256, 1024), 7
WARM_UP, PUBLISHED_STEPS = 2, 4
Figures = dict[str, float]
Network = TypeVar("Network", bound=nn.Module)


class HandMish(nn.Module):
    """Mish as the published code has it."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x · tanh(softplus(x))."""
        return x * torch.tanh(F.softplus(x))


def of_torch(network: Network) -> Network:
    """Return a network whose layers are torch's own."""
    for layer in network.modules():
        if isinstance(layer, FourierConv1d):
            layer.__class__ = nn.Conv1d  # type: ignore[assignment]
        if isinstance(layer, Dropout):
            layer.__class__ = nn.Dropout  # type: ignore[assignment]
    return network


def with_hand_mish(network: nn.Module) -> nn.Module:
    """Return a network with the published activation."""
    for part in network.modules():
        for name, layer in part.named_children():
            if isinstance(layer, nn.Mish):
                setattr(part, name, HandMish())
    return network


class Step:
    """Forward of two views, loss, backward, optimiser."""

    def __init__(self, network: nn.Module) -> None:
        self.network, self.loss = network, NTXent()
        self.optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)

    def on(self, first: Tensor, second: Tensor) -> Tensor:
        """Train one step; return the loss."""
        loss = self.loss.of(self.network(first), self.network(second))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()


class Epochs(Dataset[tuple[Tensor, Tensor]]):
    """Two views of one epoch at a time, as the published loop makes them."""

    def __init__(self, epochs: NDArray[np.float32]) -> None:
        self._epochs = epochs

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        members = dict.fromkeys(BEST, BEST_P)
        first, second = reference.views(self._epochs[place : place + 1], members, self._epochs)
        return torch.from_numpy(first), torch.from_numpy(second)


def our_loop(store: Store, batch: int, network: Encoder | None = None) -> Work:
    """One step of a trial's own loop, with our network if none is given."""
    rows = store.rows(store.subjects)
    views = views_of(
        policy(BEST_P).in_signal(signal_of(store, store.subjects)), "store", store, rows
    )
    run = Pretraining(
        network or SimpleSleepNet(), PretrainSpec(batch_size=batch), views,
        Streams({"seed": 0}, {"seed": 0}),
    )  # fmt: skip
    return lambda: run.run(store.gather, rows, run.step + 1)


def published_step(store: Store, batch: int) -> float:
    """Seconds of a step of the published kind of loop, once its workers keep up or do not."""
    data = Epochs(store.gather(store.rows(store.subjects))[:, 0])
    loader = DataLoader(data, batch, shuffle=True, num_workers=2, drop_last=True)
    step, batches = Step(with_hand_mish(of_torch(SimpleSleepNet()))), _again_and_again(loader)

    def one() -> None:
        step.on(*next(batches))

    seconds_of(one, WARM_UP)
    return seconds_of(one, PUBLISHED_STEPS)


def _again_and_again(loader: DataLoader[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from loader


def measure_batch(store: Store, batch: int, repeats: int) -> Figures:
    """Median seconds of each kind of step at one size of a batch."""
    epochs = torch.from_numpy(store.gather(store.rows(store.subjects)[:batch]))
    first, second = policy(BEST_P).views(
        epochs, torch.Generator().manual_seed(0), lambda n, _: epochs[:n]
    )
    plain, ours = Step(of_torch(SimpleSleepNet())), Step(SimpleSleepNet())
    works: dict[str, Work] = {
        "plain": lambda: plain.on(first, second),
        "network": lambda: ours.on(first, second),
        "loop": our_loop(store, batch),
    }
    return {**medians(works, repeats), "published": published_step(store, batch)}


def ratios(figures: Figures) -> Figures:
    """What is asked of a step: how much faster, and what is around the network, in plain steps."""
    return {
        "network_times_faster": figures["plain"] / figures["network"],
        "around_the_network": (figures["loop"] - figures["network"]) / figures["plain"],
        "loop_times_faster": figures["published"] / figures["loop"],
    }


def measure(batches: list[int], repeats: int) -> dict[str, Figures]:
    """Measure a step at each size of a batch, on simulated nights of five people."""
    torch.set_num_threads(1)
    store = prepare(DataSpec.model_validate({"simulated": {"subjects": 5}}))
    return {str(batch): measure_batch(store, batch, repeats) for batch in batches}


def markdown(results: dict[str, Figures]) -> str:
    """Return the results as a table."""
    rows = []
    for batch, each in results.items():
        found = ratios(each)
        rows.append([
            batch, ms(each["plain"]), ms(each["network"]), ms(each["loop"]), ms(each["published"]),
            f"{found['network_times_faster']:.2f}", f"{found['around_the_network']:.3f}",
            f"{found['loop_times_faster']:.1f}",
        ])  # fmt: skip
    head = ["batch", "plain torch, ms", "our network, ms", "our loop, ms", "published loop, ms",
            "network, times faster", "around the network, plain steps",
            "loop, times faster"]  # fmt: skip
    return markdown_table(head, rows)


def main() -> None:
    """Measure, and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, nargs="+", default=list(BATCHES))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    given = parser.parse_args()
    results = measure(given.batches, given.repeats)
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
