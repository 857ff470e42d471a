"""Simulated nights as a source of recordings: the YAML's ``data.simulated``, and what it asks for.

What makes a night is imported when the first one is made: a store that is there already needs none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from sleepsweep.data.recording import Recording
from sleepsweep.data.simulation.layout import CHANNELS
from sleepsweep.part import PartSpec

GENERATOR_VERSION = 2  # part of a store's key: raise it when the same seed gives other nights


class SimulatedSpec(PartSpec):
    """How many simulated subjects and nights. Subject k is the same in studies of any size."""

    subjects: int = Field(default=10, ge=1, le=1000)
    """How many people."""
    nights: int = Field(default=1, ge=1, le=9)
    """Nights of each of them."""
    seed: int = 0
    """Another one makes other people."""


@dataclass(frozen=True)
class SimulatedSource:
    """The nights of a `SimulatedSpec`, made one at a time, on some of `CHANNELS`."""

    spec: SimulatedSpec
    channels: tuple[str, ...] = CHANNELS[:1]

    def __len__(self) -> int:
        return self.spec.subjects * self.spec.nights

    def recordings(self) -> Iterator[Recording]:
        """Yield every night of every subject."""
        from sleepsweep.data.simulation.nights import simulate

        for subject in range(self.spec.subjects):
            for night in range(1, self.spec.nights + 1):
                yield simulate(self.spec.seed, subject, night, self.channels)

    def fingerprint(self) -> dict[str, Any]:
        """What the nights depend on: the spec, the calibration and the generator's version."""
        from sleepsweep.data.simulation.calibration import committed_digest

        versions = {"calibration": committed_digest(), "generator": GENERATOR_VERSION}
        return {**self.spec.model_dump(), "channels": self.channels, **versions}
