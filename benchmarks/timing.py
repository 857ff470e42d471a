"""Times of several pieces of work, measured side by side."""

import statistics
import time
from collections.abc import Callable

Work = Callable[[], object]

SHORTEST_S = 0.01  # of one measurement: a quicker piece of work is called several times in it


def medians(works: dict[str, Work], repeats: int) -> dict[str, float]:
    """Return the median seconds of one call of each piece of work.

    They take turns, so that what else the machine does meets all of them.
    """
    calls = {name: _calls(work) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            times[name].append(seconds_of(work, calls[name]))
    return {name: statistics.median(each) for name, each in times.items()}


def _calls(work: Work) -> int:
    seconds_of(work, 1)  # the first call also loads code and plans transforms
    return max(1, round(SHORTEST_S / max(seconds_of(work, 1), 1e-9)))


def seconds_of(work: Work, calls: int = 1) -> float:
    """Return the seconds of one call, measured over so many."""
    started = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - started) / calls
