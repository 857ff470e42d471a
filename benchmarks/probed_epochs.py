"""How many epochs of a subject a probe must read for its score to be stable.

    python -m benchmarks.probed_epochs [--encoders 3] [--subsets 12]

Encoders of one block of `search_spaces/aug_ablation.yaml` are trained for 90 steps with policies
that were drawn, and embed every epoch. Probes then read so many epochs of a subject, as in a sweep
evenly spread over the night, but from a start drawn anew for each subset. Told, in points of
macro-F1: how far scores lie from the one that all epochs give, and by how much they and the
differences of two encoders scatter from subset to subset. It takes about four minutes of a
processor.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.probe import STUDY
from benchmarks.tables import markdown_table
from sleepsweep.data.store import Store
from sleepsweep.forecast import drawn
from sleepsweep.learn.probe import ProbeSpec, embed_rows
from sleepsweep.metrics import confusion, macro_f1
from sleepsweep.plan import Plan, make_plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.seeds import numpy_generator
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec

ENCODERS, SUBSETS, STEPS = 3, 12, 90
COUNTS = (50, 100, 200, 300, 400)
PEOPLE = ((6, 2), (14, 3))
"""Training and validation subjects: the quickstart's, and the preset laptop's."""
Rows = NDArray[np.int64]
Figures = dict[str, float]


class Readable:
    """The stages of some subjects' epochs, and what each encoder makes of the epochs."""

    def __init__(self, store: Store, people: Sequence[str]) -> None:
        self._store, self.rows = store, np.concatenate([store.rows([name]) for name in people])
        self._stages, self._people = store.stages(self.rows), store.subjects_of(self.rows)
        self.features: list[NDArray[np.float32]] = []

    def of(self, person: str) -> Rows:
        """Where the epochs of a person are."""
        return np.flatnonzero(self._people == person)

    def embed(self, run: ProbedRun) -> None:
        """Add an encoder."""
        encoder = run.pretraining.encoder
        self.features.append(embed_rows(encoder, self._store.gather, self.rows))

    def scores(self, fitted: Rows, scored: Rows) -> NDArray[np.float64]:
        """The macro-F1, in points, of each encoder's probe."""

        def score(features: NDArray[np.float32]) -> float:
            read = self._stages[fitted], self._people[fitted]
            guess = ProbeSpec().fit(features[fitted], *read).predict(features[scored])
            return 100 * macro_f1(confusion(self._stages[scored], guess))

        return np.array([score(features) for features in self.features])


def spread(rows: Rows, count: int, start: float) -> Rows:
    """Return so many rows at even distances; `start` in [0, 1) is where in the first one."""
    return rows[((np.arange(count) + start) * len(rows) / count).astype(np.int64)]


def scatter(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Standard deviations over subsets, (subset, encoder): of a score, of a difference of two."""
    pairs = combinations(range(scores.shape[1]), 2)
    of_pairs = [np.var(scores[:, one] - scores[:, other], ddof=1) for one, other in pairs]
    return float(np.sqrt(scores.var(0, ddof=1).mean())), float(np.sqrt(np.mean(of_pairs)))


def trained(plan: Plan, encoders: int, steps: int) -> Readable:
    """Train the first trials of block 0 that have different policies, and embed with each."""
    trials = [trial for _, trial in drawn(plan) if trial.baseline is None and trial.block == 0]
    readable = Readable(plan.store, [*trials[0].train, *trials[0].validation])
    for trial in trials[:encoders]:
        run = ProbedRun(trial, plan.store)
        run.train(steps)
        readable.embed(run)
    return readable


def of_subsets(
    readable: Readable, train: Sequence[str], validation: Sequence[str], count: int, subsets: int
) -> Figures:
    """What reading `count` epochs of each subject does to the scores."""

    def read(people: Sequence[str], start: dict[str, float] | None) -> Rows:
        every = {name: readable.of(name) for name in people}
        return np.concatenate([
            rows if start is None else spread(rows, count, start[name])
            for name, rows in every.items()
        ])  # fmt: skip

    found = []
    for number in range(subsets):
        draws = numpy_generator("probed epochs", n=number)
        start = {name: draws.random() for name in (*train, *validation)}
        found.append(readable.scores(read(train, start), read(validation, start)))
    whole = readable.scores(read(train, None), read(validation, None))
    of_score, of_difference = scatter(np.array(found))
    return {
        "train": len(train), "validation": len(validation), "epochs": count,
        "from_all": float((np.array(found) - whole).mean()),
        "of_score": of_score, "of_difference": of_difference,
    }  # fmt: skip


def measure(encoders: int = ENCODERS, subsets: int = SUBSETS, steps: int = STEPS) -> list[Figures]:
    """Train encoders, and read more and more epochs of few subjects and of more."""
    torch.set_num_threads(1)
    plan = make_plan(read_study(SweepSpec, STUDY))
    split, readable = plan.space.blocks[0].split, trained(plan, encoders, steps)
    return [
        of_subsets(readable, split.train[:train], split.validation[:held_out], count, subsets)
        for train, held_out in PEOPLE
        for count in COUNTS
    ]


def markdown(results: list[Figures]) -> str:
    """Return the results as a table."""
    rows = [
        [
            f"{each['train']:.0f} + {each['validation']:.0f}", f"{each['epochs']:.0f}",
            f"{each['from_all']:+.1f}", f"{each['of_score']:.1f}", f"{each['of_difference']:.1f}",
        ]
        for each in results
    ]  # fmt: skip
    head = ["training + validation subjects", "epochs a subject", "score, less that of all epochs",
            "scatter of a score", "of a difference of two encoders"]  # fmt: skip
    return markdown_table(head, rows)


def main() -> None:
    """Measure, and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoders", type=int, default=ENCODERS)
    parser.add_argument("--subsets", type=int, default=SUBSETS)
    given = parser.parse_args()
    results = measure(given.encoders, given.subsets)
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
