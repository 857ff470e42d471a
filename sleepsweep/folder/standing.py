"""Where a sweep stands, read from its folder alone: while it runs, and after it has ended."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sleepsweep.folder.blockbest import best_so_far
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.studyfolder import OPENED
from sleepsweep.folder.sweepfolder import SweepFolder

STATES = ("done", "stop", "collapsed", "failed", "running")


@dataclass(frozen=True)
class Standing:
    """The state of a sweep.

    `trials` counts them by state, and those ``to come``; a trial is ``running`` as well when its
    launch was interrupted: `pid`, that of the launch or of one of Slurm's tasks, is then None.
    `rungs` has a row a rung, `best` the trial whose score, adjusted for its block, is the highest
    of those at full length. `report_age_s` counts the seconds since the last report,
    `confirmation` the confirmations by state, `test_opened` how often the test subjects were
    opened. `command` goes on with it.
    """

    name: str
    question: str
    pid: int | None
    planned: int
    trials: dict[str, int]
    rungs: list[dict[str, Any]]
    best: dict[str, Any] | None
    report_age_s: float | None
    confirmation: dict[str, int]
    test_opened: int
    failed: list[dict[str, str]]
    command: str

    @property
    def plain(self) -> dict[str, Any]:
        """The state as plain values, for JSON."""
        return asdict(self)

    @property
    def is_complete(self) -> bool:
        """Whether every planned trial has ended, and every confirmation that was begun."""
        open_trials = self.trials["running"] + self.trials["to come"]
        return open_trials + self.confirmation.get("running", 0) == 0


def standing(folder: SweepFolder, now_s: float) -> Standing:
    """Read the state of the sweep in `folder` at the time `now_s`, in seconds since 1970.

    Raises `UserError` when the folder holds no sweep.
    """
    manifest, records = folder.read_manifest(), folder.records()
    own = [record for record in records if not record.confirms]
    study = manifest["study"]
    counts = Counter(record.state for record in own)
    to_come = max(study["planned_trials"] - len(own), 0)
    reported = [row["recorded_ms"] for record in records for row in record.rows]
    return Standing(
        name=study["name"],
        question=study["question"],
        pid=folder.lock.holder() or folder.task(),
        planned=study["planned_trials"],
        trials={**{state: counts[state] for state in STATES}, "to come": to_come},
        rungs=list(_rungs([record for record in own if record.has_policy])),
        best=_best(own),
        report_age_s=max(now_s - max(reported) / 1000, 0.0) if reported else None,
        confirmation=dict(Counter(r.state for r in records if r.confirms)),
        test_opened=len(manifest.get(OPENED, [])),
        failed=[_failure(folder, record) for record in records if record.state == "failed"],
        command=folder.to_go_on(),
    )


def _rungs(records: Sequence[TrialRecord]) -> Iterable[dict[str, Any]]:
    for rung in range(max((len(record.rows) for record in records), default=0)):
        rows = [record.rows[rung] for record in records if len(record.rows) > rung]
        decisions = Counter(row["decision"] for row in rows)
        yield {
            "rung": rung, "step": max(row["step"] for row in rows), "reached": len(rows),
            "went_on": decisions["continue"], "stopped": decisions["stop"],
            "best_macro_f1": max(row["macro_f1"] for row in rows),
        }  # fmt: skip


def _best(records: Sequence[TrialRecord]) -> dict[str, Any] | None:
    found = best_so_far(records)
    if found is None:
        return None
    best, adjusted = found
    return {
        "trial": best.trial.id, "policy": best.trial.policy_text, "block": best.trial.block,
        "macro_f1": best.rows[-1]["macro_f1"], "adjusted_macro_f1": adjusted,
    }  # fmt: skip


def _failure(folder: SweepFolder, record: TrialRecord) -> dict[str, str]:
    log = folder.trial(record.trial.id).error
    return {"trial": record.trial.id, "error": record.error_line, "log": str(log)}
