"""What is asked of speed on two cores, and where a benchmark's figures answer it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import startup
from benchmarks.pretraining import ratios

Figures = Any


@dataclass(frozen=True)
class Point:
    """One thing that is asked: `of` reads it from the figures of its benchmark.

    The `asked` value is the most that it may be, or the least if it is `least`. One that is `quick`
    is told by the quick run of its benchmark, too, and does not depend on how fast the machine is.
    """

    what: str
    asked: float
    of: Callable[[Figures], float]
    unit: str = ""
    least: bool = False
    quick: bool = True

    @property
    def limit(self) -> str:
        """What is asked, in words."""
        return f"at {'least' if self.least else 'most'} {self.shown(self.asked)}"

    def shown(self, value: float) -> str:
        """A value with its unit."""
        return f"{value:.3g}{self.unit}"

    def verdict(self, figures: Figures) -> str:
        """Whether the figures reach it."""
        return "reached" if self.is_within(self.of(figures), self.asked) else "**not reached**"

    def is_within(self, value: float, bound: float) -> bool:
        """Whether a value is as good as the bound."""
        return value >= bound if self.least else value <= bound

    def holds(self, figures: Figures, before: Figures) -> bool:
        """Whether the figures are within what is asked, or at most twice as bad as those before."""
        value, twice = self.of(figures), self.of(before) * (0.5 if self.least else 2.0)
        return self.is_within(value, self.asked) or self.is_within(value, twice)


@dataclass(frozen=True)
class Asked:
    """A benchmark, how it is run for the documentation, and the points that it answers.

    With `quick` arguments it is also run by the tests, which compare the points that it tells.
    """

    arguments: Sequence[str]
    points: Sequence[Point]
    quick: Sequence[str] | None = None


def _of_step(batch: str, quick: bool) -> list[Point]:
    at = f"at batch {batch}"
    return [
        Point(f"network, times faster than plain torch, {at}", 1.3,
              lambda found: ratios(found[batch])["network_times_faster"], least=True, quick=quick),
        Point(f"around the network, plain steps, {at}", 0.05,
              lambda found: ratios(found[batch])["around_the_network"], quick=quick),
        Point(f"whole loop, times faster than the published kind, {at}", 1.5,
              lambda found: ratios(found[batch])["loop_times_faster"], least=True, quick=quick),
    ]  # fmt: skip


def _of_start() -> list[Point]:
    return [
        Point(name, seconds, lambda found, key=key: found[key]["wall_s"], " s", quick=False)  # type: ignore[misc]
        for key, (name, seconds) in startup.POINTS.items()
    ]


def _of_probe(sweep: str) -> Point:
    return Point(
        f"a probe, of the training before it, {sweep}", 0.1,
        lambda found: max(rung["share"] for rung in found[sweep]),
    )  # fmt: skip


ASKED = {
    "pretraining": Asked(
        ["--repeats", "11"],
        [*_of_step("256", quick=True), *_of_step("1024", quick=False)],
        quick=["--repeats", "3", "--batches", "256"],
    ),
    "probe": Asked([], [*map(_of_probe, ("quickstart", "laptop", "screen"))],
                   quick=["--trials", "1", "--steps", "3"]),
    "startup": Asked([], _of_start()),
    "memory": Asked(
        [],
        [
            Point("a trial's own memory at batch 256", 300,
                  lambda found: found["trials"]["256"]["large"]["own"], " MiB"),
            Point("the same, times that on a tenth of the store", 1.1,
                  lambda found: found["trials"]["256"]["large"]["own"]
                  / found["trials"]["256"]["small"]["own"]),
            Point("pages of the store, of four trials in all, times the store", 1.05,
                  lambda found: sum(each["share"] for each in found["shared"]["4"])
                  / found["shared"]["1"][0]["pages"]),
        ],
        quick=["--batches", "256", "--steps", "2"],
    ),
    "answer": Asked(
        ["--worlds", "additive"],
        [Point("steps to the answer, times less than one at a time × seeds", 3.0,
               lambda found: found["additive"]["ours"]["as shipped"]["times"][0], least=True)],
    ),
    "scale": Asked(
        ["--trials", "2000", "--nodes", "6"],
        [Point("driver's time a trial, after 2,000 trials to after 250", 1.2,
               lambda found: found["rows"][-1]["driver_ms_a_trial"]
               / found["rows"][0]["driver_ms_a_trial"])],
    ),
}  # fmt: skip
