"""What was measured of trials at once, and what follows for a YAML's ``resources``."""

from dataclasses import asdict, dataclass
from typing import Any

WORTH = 1.05
"""More trials at once are worth it where they train so many times as fast together."""


@dataclass(frozen=True)
class Packed:
    """What so many trials at once do together: samples a second; `memory_mib` is that of one."""

    trials: int
    samples_per_s: float
    memory_mib: float


@dataclass(frozen=True)
class Packing:
    """What was measured on a `device`, which has `memory_mib` in all, from one trial on."""

    device: str
    memory_mib: float
    measured: tuple[Packed, ...]
    in_one: bool = False
    """Whether one process trained them, as a pack."""

    @property
    def best(self) -> Packed:
        """The fewest trials at once than which more are not worth it."""
        fastest = max(packed.samples_per_s for packed in self.measured)
        return next(each for each in self.measured if each.samples_per_s * WORTH >= fastest)

    @property
    def resources(self) -> dict[str, Any]:
        """The keys of the YAML's ``resources`` that ask for it."""
        if self.in_one:
            return {"pack": self.best.trials}
        if self.device == "cpu":
            return {"concurrent": self.best.trials}
        return {"gpus_per_trial": round(1 / self.best.trials, 4)}

    @property
    def plain(self) -> dict[str, Any]:
        """The packing as plain values, for JSON."""
        return {**asdict(self), "best": self.best.trials, "resources": self.resources}
