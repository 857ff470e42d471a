"""The first recordings of a source, where a study takes so many and no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from sleepsweep.data.recording import Recording

if TYPE_CHECKING:
    from sleepsweep.data.source import Source


@dataclass(frozen=True)
class FirstRecordings:
    """The first `most` recordings of `source`, in its order; all where it has no more."""

    source: "Source"
    most: int

    def __len__(self) -> int:
        return min(len(self.source), self.most)

    def recordings(self) -> Iterator[Recording]:
        """Yield the recordings; none behind them is read."""
        return islice(self.source.recordings(), self.most)

    def fingerprint(self) -> dict[str, Any]:
        """What the whole source depends on, and how much of it is taken."""
        return {"first": self.most, "of": self.source.fingerprint()}
