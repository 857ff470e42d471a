"""Dropout of several runs at once, in which each draws from its own seed.

On a CPU it has the draws that it would have alone. On a GPU it has others, of the same rate: under
`torch.vmap` torch does not draw with the fused kernel that it has for dropout alone.
"""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor, nn

from sleepsweep.learn.pretrain import Pretraining


class Draws:
    """Torch's global generator as each of several runs would find it.

    Runs of one block that stand at the same step and drop as much draw alike: one of them draws for
    all. `drawn_by` says which draws (run,) are a run's own.
    """

    def __init__(self, runs: Sequence[Pretraining]) -> None:
        keys = [_key(run) for run in runs]
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        self._runs = [runs[keys.index(key)] for key in places]
        self._states: list[Tensor] = []
        device = runs[0].device
        self._cuda = device if device.type == "cuda" else None
        self.drawn_by = torch.tensor([places[key] for key in keys], device=device)

    def begin(self) -> None:
        """Begin a step of every run, from where they stand."""
        self._states = []
        for run in self._runs:
            torch.manual_seed(run.dropout_seed)
            self._states.append(self._state())

    def factors(self, name: str, values: Tensor) -> Tensor:
        """Return what the dropouts of that name multiply values by, for each that draws."""
        ones = torch.ones(values.shape, dtype=values.dtype, device=values.device)
        found = []
        for place, run in enumerate(self._runs):
            self._go_on(self._states[place])
            found.append(run.encoder.get_submodule(name)(ones))
            self._states[place] = self._state()
        return torch.stack(found)

    def _state(self) -> Tensor:
        return torch.get_rng_state() if self._cuda is None else torch.cuda.get_rng_state(self._cuda)

    def _go_on(self, state: Tensor) -> None:
        if self._cuda is None:
            torch.set_rng_state(state)
        else:
            torch.cuda.set_rng_state(state, self._cuda)


class StackedDropout(nn.Module):
    """In the place of a `torch.nn.Dropout` of an encoder, under `torch.vmap` over runs."""

    drawn_by: Tensor

    def __init__(self, draws: Draws, name: str) -> None:
        super().__init__()
        self._draws, self._name = draws, name
        # Under vmap a number for each run: which of the draws are its own.
        self.register_buffer("drawn_by", draws.drawn_by[0])

    def forward(self, values: Tensor) -> Tensor:
        """Multiply each run's values by its own draws."""
        factors = self._draws.factors(self._name, values)
        # Where all runs draw alike, there need not be one for each.
        return values * (factors[0] if len(factors) == 1 else factors[self.drawn_by])


def dropouts(network: nn.Module) -> list[tuple[str, nn.Dropout]]:
    """Return a network's dropouts by name."""
    return [(name, each) for name, each in network.named_modules() if isinstance(each, nn.Dropout)]


def _key(run: Pretraining) -> Hashable:
    rates = tuple(layer.p for _, layer in dropouts(run.encoder))
    return tuple(sorted(run.streams.block.items())), run.step, rates
