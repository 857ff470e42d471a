"""What ``confirm`` runs: chosen policies, full length, fresh blocks, scored on the test subjects.

This is the one door to the test subjects. The store that a confirmation trains and fits its probe
on withholds them, as in every other trial; a second store, opened by `ConfirmationPlan.exam` alone
and not before ``sweep.json`` says when and by which command, hands out them and nobody else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sleepsweep.data.preparation import prepare
from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.plan import Plan
from sleepsweep.space import Block, Slot, fresh_blocks
from sleepsweep.trial import TrialSpec

KIND: Final = "confirmation"


@dataclass(frozen=True)
class Candidate:
    """A policy to confirm: why, and the trial of the sweep that it is taken from.

    With `only`, the policy is that one member of the trial's; with ``""`` it is none of them.
    """

    role: str
    like: TrialSpec
    only: str | None = None

    def in_block(self, block: Block, test: tuple[str, ...]) -> TrialSpec:
        """Return the candidate's trial in a fresh block: full length, scored on `test`."""
        policy, choose = self.like.policy, self.like.choose
        if self.only is not None:
            policy, choose = tuple(m for m in policy if m.name == self.only), None
        return self.like.changed(
            policy=policy, choose=choose, block=block.index, split=block.split_index,
            seed=block.seed, train=block.split.train, labelled=block.labelled,
            validation=block.split.validation, test=test, rungs=self.like.rungs[-1:],
        )  # fmt: skip


@dataclass(frozen=True)
class ConfirmationPlan(Plan):
    """A confirmation that is ready to run; its store withholds the test subjects as a sweep's."""

    @property
    def title(self) -> str:
        """What stands above the display of its progress."""
        return f"{self.spec.name}: confirmation, scored on test subjects"

    @property
    def rungs(self) -> tuple[int, ...]:
        """The one step at which its trials report."""
        return self.spec.rungs[-1:]

    def own(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """Return the confirmations among the records of the sweep's folder."""
        return [record for record in records if record.confirms]

    def exam(self, folder: SweepFolder) -> Store:
        """Open the test subjects, after it has been written down in the sweep's folder.

        Raises `LeakError` if a slot holds another kind of trial.
        """
        if any(slot.kind != KIND or slot.trial is None or not slot.trial.test
               for slot in self.slots):  # fmt: skip
            raise LeakError("only confirmations may open the test subjects")
        folder.log_test_opened()
        return prepare(self.spec.data).only(self.test)


def make_confirmation(
    plan: Plan, candidates: Sequence[Candidate], blocks: int, records: Sequence[TrialRecord]
) -> ConfirmationPlan:
    """Lay out the confirmation of `candidates` on so many fresh blocks, the same for all of them.

    `plan` is that of the sweep and `records` are its trials. What was confirmed before, or begun,
    keeps its place, and is run only as far as it is not finished. Raises `UserError` where nobody
    was set aside to be tested on.
    """
    if plan.spec.split.selects_on_test:
        raise UserError(
            "split.protocol as_published sets nobody aside: its trials were selected on the test "
            "subjects, and a confirmation would have none. Launch the question with protocol "
            "subject, and confirm that."
        )
    whole = plan.spec.scheduler.model_copy(update={"name": "none"})
    spec = plan.spec.model_copy(update={"scheduler": whole})
    fresh = fresh_blocks(spec, plan.store.nights, plan.test, blocks)
    held = {record.trial.id: record for record in records if record.confirms}
    slots = [_slot(record) for record in held.values()]
    order = max([*(record.order for record in records), len(plan.slots) - 1]) + 1
    for block in fresh:
        trials = [candidate.in_block(block, plan.test) for candidate in candidates]
        assert len({trial.id for trial in trials}) == len(trials), "two candidates are one policy"
        for candidate, trial in zip(candidates, trials, strict=True):
            if trial.id not in held:
                slots.append(Slot(order + len(slots) - len(held), KIND, candidate.role,
                                  block.index, trial))  # fmt: skip
    space = replace(plan.space, spec=spec, blocks=fresh)
    return ConfirmationPlan(spec, space, plan.store, plan.test, slots)


def _slot(record: TrialRecord) -> Slot:
    return Slot(record.order, record.kind, record.design, record.trial.block, record.trial)


def candidates_of(
    picked: Sequence[Mapping[str, Any]], records: Sequence[TrialRecord]
) -> list[Candidate]:
    """Turn the analysis's choice (``role, trial, only``) into candidates, and add no augmentation.

    The latter is run with the settings of each of them, so that a gain is the policy's own.
    """
    trials = {record.trial.id: record.trial for record in records}
    chosen = [Candidate(row["role"], trials[row["trial"]], row["only"]) for row in picked]
    alike: list[TrialSpec] = []
    for candidate in chosen:
        if all(candidate.like.parts != like.parts for like in alike):
            alike.append(candidate.like)
    return [*chosen, *(Candidate("none", like, only="") for like in alike)]
