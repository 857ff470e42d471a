"""What an augmentation makes of the examples, severity by severity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from sleepsweep.augment import Augmentation, Signal
from sleepsweep.augmentpage.examples import Example
from sleepsweep.terminal.augmentations import SEVERITIES, defaults, severity_map

Trace = NDArray[np.float32]


@dataclass(frozen=True)
class Shown:
    """An augmentation and its views: by stage, one trace in µV, (time,), for each of `settings`."""

    kind: type[Augmentation]
    settings: tuple[str, ...]
    views: Mapping[str, Sequence[Trace]]

    @property
    def parameters(self) -> str:
        """The parameters at their defaults."""
        return ", ".join(defaults(self.kind)) or "none"


def shown(
    kind: type[Augmentation], examples: Sequence[Example], signal: Signal, seed: int = 0
) -> Shown:
    """Augment the first channel of the examples at rising severities, always with the same draws.

    Without a dial there is one view, the augmentation itself. Raises `UserError` where the
    augmentation refuses these epochs.
    """
    if kind.dial is None:
        steps: list[Augmentation] = [kind()]
        settings: tuple[str, ...] = ("applied",)
    else:
        steps = [kind.at_severity(severity) for severity in SEVERITIES]
        values = severity_map(kind)
        settings = tuple(f"severity {s:g}: {kind.dial.field} {values[s]}" for s in SEVERITIES)
    tuned = [step.in_signal(signal) for step in steps]
    views = {
        example.stage: [_view(augment, example, signal, seed) for augment in tuned]
        for example in examples
    }
    return Shown(kind, settings, views)


def original(example: Example, signal: Signal) -> Trace:
    """Return the first channel of an example in µV, (time,)."""
    return np.asarray(example.epoch[0, 0].numpy() * signal.uv_per_unit, dtype=np.float32)


def _view(augment: Augmentation, example: Example, signal: Signal, seed: int) -> Trace:
    generator = torch.Generator().manual_seed(seed)
    result = augment(example.epoch, generator, example.partner)[0, 0]
    return np.asarray(result.numpy() * signal.uv_per_unit, dtype=np.float32)
