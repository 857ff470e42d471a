"""What SECURITY.md claims of paths, and that the tests which it names for other claims exist."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.folder.record import TrialRecord
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.folder.trialfiles import TrialFiles
from sleepsweep.plan import Plan
from sleepsweep.spec.sweepspec import SweepSpec

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text()
LEAVING = [
    "../x",
    "..",
    ".",
    "/etc/x",
    "a/b",
    "a\\b",
    "~",
    "x\n",
    "",
    "a" * 65,
    "x\0",
    "ＡＢ",
    "-x",
]


@pytest.mark.parametrize("name", LEAVING)
def test_a_name_that_is_a_path_is_refused(
    sweep: Callable[..., SweepSpec], tree: Callable[..., dict[str, Any]], name: str
) -> None:
    with pytest.raises(ValidationError, match="is no name"):
        sweep(name=name)
    with pytest.raises(ValidationError, match="is no name"):
        ExperimentSpec.model_validate({**tree(), "name": name})


def test_a_trial_of_a_foreign_folder_is_written_where_its_hash_says(
    plan: Plan, tmp_path: Path
) -> None:
    """Whatever the folder that it is found in is called, and whatever it says of itself."""
    slot = next(slot for slot in plan.slots if slot.trial is not None)
    assert slot.trial is not None
    folder = SweepFolder(tmp_path / "sweep")
    foreign = TrialFiles(folder.path / "trials" / "..elsewhere")
    foreign.begin(TrialRecord(0, slot.kind, slot.design, slot.trial))
    (record,) = folder.records()
    assert re.fullmatch(r"[0-9a-f]{12}", record.trial.id)
    assert folder.trial(record.trial.id).path.parent == folder.path / "trials"


def test_what_is_named_exists() -> None:
    named = set(re.findall(r"`((?:tests|docs)/[\w./]+)`", TEXT))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    for target in re.findall(r"\]\(([\w./-]+)\)", TEXT):
        assert (ROOT / target).exists(), target
