"""The YAML's ``data.simulated``. Apart from the nights, which take longer to import."""

from pydantic import Field

from sleepsweep.part import PartSpec


class SimulatedSpec(PartSpec):
    """How many simulated subjects and nights. Subject k is the same in studies of any size."""

    subjects: int = Field(default=10, ge=1, le=1000)
    """How many people."""
    nights: int = Field(default=1, ge=1, le=9)
    """Nights of each of them."""
    seed: int = 0
    """Another one makes other people."""
