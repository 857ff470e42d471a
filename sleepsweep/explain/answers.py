"""What a network says of epochs, whole and with something taken out."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from sleepsweep.explain.occlusions import Occlusion
from sleepsweep.learn.rows import Gather
from sleepsweep.seeds import stream

BATCH = 128

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Epochs:
    """Epochs to ask about: how to get them, their rows, and each one's stage and subject."""

    gather: Gather
    rows: NDArray[np.int64]
    stages: NDArray[np.int8]
    subjects: NDArray[np.str_]


@dataclass(frozen=True)
class Answers:
    """The network's answers to epochs, whole first and then without each thing: (1 + what, epoch).

    `probability` is that of the stage that was scored, `log_odds` is log p / (1 − p), `predicted`
    the stage 0–4. `changed` (what, epoch) is the energy of the change as a share of the epoch's.
    """

    names: tuple[str, ...]
    stages: NDArray[np.int8]
    subjects: NDArray[np.str_]
    probability: Values
    log_odds: Values
    predicted: NDArray[np.int8]
    changed: Values

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the answers to all epochs of several parts, which were asked the same."""
        together = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=-1)
            for field in fields(cls)
            if field.name != "names"
        }
        return cls(names=parts[0].names, **together)


def ask(network: nn.Module, epochs: Epochs, occlusions: Sequence[Occlusion]) -> Answers:
    """Ask a network that stages sleep about epochs, whole and after each of the occlusions.

    What an occlusion draws depends on its name and on the first row of a batch.
    """
    network.eval()
    with torch.inference_mode():
        batches = [
            _asked(network, epochs, slice(start, start + BATCH), occlusions)
            for start in range(0, len(epochs.rows), BATCH)
        ]
    parts = [np.concatenate(each, axis=1) for each in zip(*batches, strict=True)]
    probability, log_odds, predicted, changed = parts
    names = tuple(occlusion.name for occlusion in occlusions)
    return Answers(
        names, epochs.stages, epochs.subjects, probability, log_odds, predicted.astype(np.int8),
        changed,
    )  # fmt: skip


def _asked(
    network: nn.Module, epochs: Epochs, place: slice, occlusions: Sequence[Occlusion]
) -> tuple[NDArray[np.generic], ...]:
    whole = torch.from_numpy(epochs.gather(epochs.rows[place]))
    scored = torch.from_numpy(epochs.stages[place].astype(np.int64))
    answers, changed = [_answer(network, whole, scored)], []
    for occlusion in occlusions:
        seed = stream("occlusion", name=occlusion.name, row=int(epochs.rows[place.start]))
        without = occlusion(whole, Generator().manual_seed(seed))
        answers.append(_answer(network, without, scored))
        changed.append(_share(whole - without, whole))
    stacked = [torch.stack(each).numpy() for each in zip(*answers, strict=True)]
    return *stacked, torch.stack(changed).numpy()


def _answer(network: nn.Module, epochs: Tensor, scored: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    logits = network(epochs).double()
    logs = logits.log_softmax(dim=-1)
    own = torch.nn.functional.one_hot(scored, logs.shape[-1]).bool()
    # From the others' sum, as 1 − p has no digits left where p is nearly 1.
    others = logs.masked_fill(own, -torch.inf).logsumexp(dim=-1)
    log = logs[own]
    return log.exp(), log - others, logits.argmax(dim=-1)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    energy = [each.square().sum(dim=(1, 2)) for each in (part, whole)]
    return (energy[0] / energy[1].clamp_min(torch.finfo(whole.dtype).tiny)).double()
