"""What a sweep would be, before it is run: its trials, its early stops, its time.

The scores are made up, by a function that the caller gives; the trials and the rule that stops
them are the sweep's own.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import torch

import sleepsweep
from sleepsweep.cluster.session import processes
from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.table import build_table
from sleepsweep.metrics import STAGES
from sleepsweep.plan import Plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.probing import probed
from sleepsweep.results import ResultsTable, StudyInfo
from sleepsweep.search.schedulers import bracket_of, make_scheduler
from sleepsweep.seeds import numpy_generator
from sleepsweep.space import ATTEMPTS, Slot, draw_policy
from sleepsweep.spec.ranges import Draws
from sleepsweep.trial import TrialSpec

Score = Callable[[int, int, int, int], float]
"""The macro-F1, 0–1, of a trial (its place), in a block, at a rung of so many."""

TIMED_POLICIES, TIMED_STEPS = 3, 5

EMBEDDING = 0.2
"""The time of embedding an epoch, of that of training on one (``python -m benchmarks.probe``)."""


@dataclass(frozen=True)
class Forecast:
    """What a sweep would run; times are in seconds.

    `kinds` counts trials, `sizes` policies by number of augmentations, `stopped` those that end
    early, on average over simulated sweeps, as `busy_s` sums up the processor time of all trials.
    `confirmation` is the number of full-length trials of a confirmation, `confirmation_s` theirs.
    `concurrent` processes train `pack` trials each, which counts as if they took turns.
    If `measured`, a step and a probe were timed, and follow from a stated rate elsewhere.
    """

    kinds: dict[str, int]
    sizes: dict[int, int]
    blocks: int
    subjects: dict[str, int]
    rungs: tuple[int, ...]
    rule: str
    stopped: float
    step_s: float
    probe_s: float
    busy_s: float
    concurrent: int
    pack: int
    cpus_per_trial: int
    confirmation: int
    confirmation_s: float
    measured: bool

    @property
    def wall_s(self) -> float:
        """How long the sweep takes where as many trials at once do not slow each other down."""
        return self.busy_s / self.concurrent

    @property
    def probe_share(self) -> float:
        """What a probe takes of the training since the rung before, where that is shortest."""
        shortest = min(after - before for before, after in pairwise((0, *self.rungs)))
        return self.probe_s / (self.step_s * shortest)

    @property
    def cpu_hours(self) -> float:
        """Hours of processors, summed up over all that its trials occupy."""
        return self.busy_s * self.cpus_per_trial / 3600

    @property
    def plain(self) -> dict[str, Any]:
        """The forecast as plain values, for JSON."""
        derived = ("wall_s", "cpu_hours", "probe_share")
        return {**asdict(self), **{name: getattr(self, name) for name in derived}}


def simulated(plan: Plan, score: Score) -> ResultsTable:
    """Return the table of the sweep as it would be if its trials had these scores.

    Searched trials are drawn at random, also where a sampler would learn. They run one after the
    other and are stopped by the sweep's own rule.
    """
    scheduler: Any = make_scheduler(plan.spec, [])
    records = []
    for place, (slot, trial) in enumerate(drawn(plan)):
        record = TrialRecord(slot.order, slot.kind, slot.design, trial)
        bracket = bracket_of(plan.spec, slot.order)
        config = {"id": trial.id, "block": slot.block, "kind": slot.kind, "bracket": bracket}
        for rung, step in enumerate(trial.rungs):
            value = score(place, slot.block, rung, len(trial.rungs))
            row = _row(rung, step, value, bracket)
            goes_on = scheduler.on_trial_result(None, SimpleNamespace(config=config), row)
            last = rung == len(trial.rungs) - 1
            row["decision"] = "done" if last else {"STOP": "stop"}.get(goes_on, "continue")
            record.rows.append(row)
            if record.is_finished:
                break
        records.append(record)
    manifest = plan.manifest()
    return build_table(records, StudyInfo.of_plain(manifest["study"]), manifest["provenance"])


def _row(rung: int, step: int, value: float, bracket: int) -> dict[str, Any]:
    scores = dict.fromkeys(("accuracy", "macro_f1", "kappa"), value)
    by_stage = {f"f1.{stage}": value for stage in STAGES}
    where = {"host": "", "device": "cpu", "version": sleepsweep.__version__}
    return {"rung": rung, "step": step, **scores, **by_stage, "loss": 1.0, "time_s": float(step),
            "bracket": bracket, "collapsed": False, **where}  # fmt: skip


def drawn(plan: Plan) -> list[tuple[Slot, TrialSpec]]:
    """Return the trials that a plan could run: the designed ones, and others drawn at random."""
    known = {slot.trial.id for slot in plan.slots if slot.trial is not None}
    found = []
    for slot in plan.slots:
        trial = slot.trial or _searched(plan, slot, known)
        if trial is not None:
            known.add(trial.id)
            found.append((slot, trial))
    return found


def _searched(plan: Plan, slot: Slot, known: set[str]) -> TrialSpec | None:
    for attempt in range(ATTEMPTS):
        axes = {"seed": plan.spec.seed, "order": slot.order, "n": attempt}
        draws = Draws(numpy_generator("forecast", **axes))
        policy = draw_policy(plan.spec.augmentations, draws)
        trial = plan.space.trial(policy, slot.block, plan.space.parts(draws))
        if trial.id not in known:
            return trial
    return None


def forecast(
    plan: Plan, tables: Sequence[ResultsTable], samples_per_s: float | None = None
) -> Forecast:
    """Return what `plan` would run, by its simulated `tables` and a short timing on its data.

    Nothing is timed where it is stated on how many epochs, two views of each, a trial is trained a
    second (`samples_per_s`).
    """
    step_s, probe_s = _timed(plan) if samples_per_s is None else _stated(plan, samples_per_s)
    trials = [trial for _, trial in drawn(plan) if trial.baseline is None]
    rows = [table.trials for table in tables]
    busy = [
        step_s * each.loc[each["last"], "steps_trained"].sum() + probe_s * len(each)
        for each in rows
    ]
    confirm = plan.spec.confirm
    policies = confirm.top + 1  # with the best single; none is run with the settings of each
    nones = policies if plan.spec.searched else 1
    confirmation = (policies + nones) * confirm.blocks
    return Forecast(
        kinds=dict(Counter(slot.kind for slot in plan.slots)),
        sizes=dict(sorted(Counter(trial.size for trial in trials).items())),
        blocks=len(plan.space.blocks),
        subjects=plan.subject_counts(),
        rungs=plan.rungs,
        rule=plan.spec.scheduler.name,
        stopped=fmean(int((each["decision"] == "stop").sum()) for each in rows),
        step_s=step_s,
        probe_s=probe_s,
        busy_s=fmean(busy),
        concurrent=processes(plan.spec.resources),
        pack=plan.spec.resources.members,
        cpus_per_trial=plan.spec.resources.cpus_per_trial,
        confirmation=confirmation,
        confirmation_s=confirmation * (step_s * plan.rungs[-1] + probe_s),
        measured=samples_per_s is None,
    )


def _timed(plan: Plan) -> tuple[float, float]:
    """Seconds of a step and of a probe, on average over a small, a middling and a large policy."""
    torch.set_num_threads(plan.spec.resources.cpus_per_trial)
    policies = (trial for _, trial in drawn(plan) if trial.baseline is None)
    trials = sorted(policies, key=lambda trial: trial.size)
    places = {round(k * (len(trials) - 1) / (TIMED_POLICIES - 1)) for k in range(TIMED_POLICIES)}
    costs = [measure(trials[place], plan.store, TIMED_STEPS) for place in sorted(places)]
    return fmean(step for step, _ in costs), fmean(probe for _, probe in costs)


def _stated(plan: Plan, samples_per_s: float) -> tuple[float, float]:
    """Seconds of a step and of a probe at a stated rate; the probe's fit counts nothing."""
    trial = plan.space.trial((), 0)
    read = len(probed(trial, plan.store, (*trial.labelled, *trial.validation)))
    return trial.pretrain.batch_size / samples_per_s, EMBEDDING * read / samples_per_s


def measure(trial: TrialSpec, store: Store, steps: int) -> tuple[float, float]:
    """Return the seconds that one of a trial's steps takes, on average over `steps`, and a probe.

    The first step, which sets everything up, is left out.
    """
    run = ProbedRun(trial, store)
    run.train(1)
    started = time.perf_counter()
    run.train(1 + steps)
    trained = time.perf_counter()
    run.probe()
    return (trained - started) / steps, time.perf_counter() - trained
