"""What a source of recordings is, and the first of one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from sleepsweep.data.recording import Recording


class Source(Protocol):
    """Recordings, one at a time.

    A package offers its own by a class that is made from a `DataSpec`, named by an entry point of
    the group ``sleepsweep.sources``; the entry point's name is then legal as ``data.source``.
    """

    def __len__(self) -> int:
        """How many recordings there are."""
        ...

    def recordings(self) -> Iterator[Recording]:
        """Yield every recording, always in the same order."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """What the recordings depend on, as plain JSON: equal when they are equal."""
        ...


@dataclass(frozen=True)
class FirstRecordings:
    """The first `most` recordings of `source`, in its order; all where it has no more."""

    source: Source
    most: int

    def __len__(self) -> int:
        return min(len(self.source), self.most)

    def recordings(self) -> Iterator[Recording]:
        """Yield the recordings; none behind them is read."""
        return islice(self.source.recordings(), self.most)

    def fingerprint(self) -> dict[str, Any]:
        """What the whole source depends on, and how much of it is taken."""
        return {"first": self.most, "of": self.source.fingerprint()}
