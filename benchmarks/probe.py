"""What a probe takes of the training between rungs: at the quickstart's size, and the full study's.

    python -m benchmarks.probe [--trials 2] [--steps 5]

Trials of `search_spaces/quickstart.yaml` are trained and probed to their end, rung by rung. For
`search_spaces/aug_ablation.yaml` the shares are computed: from a step at its size of a batch, the
embedding of an epoch and a fit on as many epochs as its probes read, each timed here. Its preset
laptop has 20 subjects; the full study is `screen` with 100, a night of 1,000 epochs each.

One thread, and seconds of the processor, so that what else the machine does counts less.
"""

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.tables import markdown_table
from benchmarks.timing import Work
from sleepsweep.data.split import set_aside
from sleepsweep.forecast import drawn
from sleepsweep.learn.probe import Features, embed_rows
from sleepsweep.plan import Plan, make_plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.probing import probed
from sleepsweep.space import make_blocks
from sleepsweep.spec.specfile import read_study
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import TrialSpec

SPACES = Path(__file__).parents[1] / "search_spaces"
QUICKSTART, STUDY = SPACES / "quickstart.yaml", SPACES / "aug_ablation.yaml"
PEOPLE = {"laptop": 20, "screen": 100}
"""Subjects by the preset of the study."""
EPOCHS = 1000
"""Epochs of a night, from half an hour before sleep to half an hour after it."""
TRIALS, STEPS, EMBEDDED = 2, 5, 1024
Rung = dict[str, float]
"""Steps since the rung before, epochs read, and the seconds of each part."""


def seconds(work: Work) -> float:
    """Processor seconds of a piece of work."""
    started = time.process_time()
    work()
    return time.process_time() - started


class Timed:
    """A trial in training, whose probe is taken apart."""

    def __init__(self, trial: TrialSpec, plan: Plan) -> None:
        self.trial, self.store = trial, plan.store
        self.run = ProbedRun(trial, plan.store)
        self.fitted = probed(trial, plan.store, trial.labelled)
        self.read = len(self.fitted) + len(probed(trial, plan.store, trial.scored))

    def features(self) -> Features:
        """What the probe is fitted on."""
        return embed_rows(self.run.pretraining.encoder, self.store.gather, self.fitted)

    def fit(self, features: Features, count: int) -> float:
        """Seconds of a fit on so many epochs; the features are repeated where they are fewer."""
        rows = np.resize(self.fitted, count)
        stages, people = self.store.stages(rows), self.store.subjects_of(rows)
        repeated = np.resize(features, (count, features.shape[1]))
        return seconds(lambda: self.trial.probe.fit(repeated, stages, people))

    def step(self, steps: int) -> float:
        """Seconds of a step, on average over `steps`; the first, which sets all up, is left out."""
        self.run.train(1)
        return seconds(lambda: self.run.train(1 + steps)) / steps

    def rungs(self) -> list[Rung]:
        """Train and probe to the end."""
        found = []
        for before, step in pairwise((0, *self.trial.rungs)):
            training = seconds(lambda until=step: self.run.train(until))  # type: ignore[misc]
            probe = seconds(self.run.probe)
            fit = self.fit(self.features(), len(self.fitted))
            found.append(_rung(step - before, self.read, training, probe - fit, fit))
        return found


def _rung(steps: int, epochs: int, training: float, embedding: float, fit: float) -> Rung:
    return {"steps": steps, "epochs": epochs, "training": training, "embedding": embedding,
            "fit": fit, "share": (embedding + fit) / training}  # fmt: skip


def timed(plan: Plan, count: int) -> list[Timed]:
    """Return so many trials of a plan, from the smallest policy to the largest."""
    trials = [trial for _, trial in drawn(plan) if trial.baseline is None and trial.block == 0]
    trials.sort(key=lambda trial: trial.size)
    places = np.linspace(0, len(trials) - 1, count + 2).round().astype(int)[1:-1]
    return [Timed(trials[place], plan) for place in places]


def epochs_read(spec: SweepSpec, people: int) -> tuple[int, int]:
    """How many epochs a probe is fitted on, and scored on, where so many people sleep a night."""
    nights = {f"{number:03}": 1 for number in range(people)}
    block = make_blocks(spec, nights, set_aside(nights, spec.split))[0]
    each = min(spec.probe.epochs_per_subject or EPOCHS, EPOCHS)
    return each * len(block.labelled), each * len(block.split.validation)


def study(preset: str, trained: Timed, steps: int) -> list[Rung]:
    """The rungs of a preset of the study, computed from what its parts take."""
    small = {"data.simulated.subjects": 10, "split.blocks": 1}
    spec = read_study(SweepSpec, STUDY, preset=preset, overrides=small)
    fitted, scored = epochs_read(spec, PEOPLE[preset])
    (of_its_size,) = timed(make_plan(spec), 1)
    step_s = of_its_size.step(steps)
    encoder, some = trained.run.pretraining.encoder, np.resize(trained.fitted, EMBEDDED)
    embedding = seconds(lambda: embed_rows(encoder, trained.store.gather, some)) / EMBEDDED
    fit = trained.fit(trained.features(), fitted)
    read = fitted + scored
    return [
        _rung(after - before, read, step_s * (after - before), embedding * read, fit)
        for before, after in pairwise((0, *spec.rungs))
    ]


def measure(trials: int = TRIALS, steps: int = STEPS) -> dict[str, list[Rung]]:
    """Measure the quickstart's rungs, as medians over trials, and compute those of the study."""
    torch.set_num_threads(1)
    # As Ray does for each of its workers.
    with threadpool_limits(limits=1):
        return _measured(trials, steps)


def _measured(trials: int, steps: int) -> dict[str, list[Rung]]:
    plan = make_plan(read_study(SweepSpec, QUICKSTART))
    every = timed(plan, trials)
    warm_up = Timed(every[0].trial, plan)  # what a process does once
    warm_up.step(1)
    warm_up.run.probe()
    rungs = zip(*(each.rungs() for each in every), strict=True)
    found = {"quickstart": [{key: median(one[key] for one in same) for key in same[0]}
                            for same in rungs]}  # fmt: skip
    return found | {preset: study(preset, every[-1], steps) for preset in PEOPLE}


def markdown(results: dict[str, list[Rung]]) -> str:
    """Return the results as a table."""
    rows = [
        [
            name if name not in PEOPLE else f"aug_ablation, {name}, {PEOPLE[name]} subjects",
            f"{each['steps']:.0f}", f"{each['epochs']:,.0f}", f"{each['training']:.1f}",
            f"{each['embedding']:.2f}", f"{each['fit']:.2f}", f"{each['share']:.1%}",
        ]
        for name, rungs in results.items()
        for each in rungs
    ]  # fmt: skip
    head = ["sweep", "steps since the rung before", "epochs read", "training, s", "embedding, s",
            "fit, s", "probe of training"]  # fmt: skip
    return markdown_table(head, rows)


def main() -> None:
    """Measure, and print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--steps", type=int, default=STEPS)
    given = parser.parse_args()
    results = measure(given.trials, given.steps)
    print(markdown(results))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
