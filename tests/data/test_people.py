"""Who slept when: nobody twice, nobody in two spellings, nobody without a name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sleepsweep.data.people import People
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError


def test_nights_that_go_together() -> None:
    people = People()
    for subject, night in [("a", 1), ("a", 2), ("b", 1)]:
        people.add(subject, night, f"{subject}{night}.edf")


@pytest.mark.parametrize(
    ("subject", "night", "said"),
    [
        ("p1", 1, r"new\.edf and first\.edf are both night 1 of p1\. Take one out"),
        ("P1", 2, r"new\.edf is of subject 'P1', first\.edf of 'p1': .*Spell one person's name"),
        ("p1_night2", 1, r"new\.edf is of subject 'p1_night2', first\.edf of 'p1': these may be"),
        ("", 1, r"new\.edf: the name of its subject is empty\. .*`person` in a description"),
        (" ", 1, r"new\.edf: the name of its subject is empty"),
    ],
)
def test_refused(subject: str, night: int, said: str) -> None:
    people = People()
    people.add("p1", 1, "first.edf")
    with pytest.raises(UserError, match=said):
        people.add(subject, night, "new.edf")


@pytest.mark.parametrize(
    ("name", "told", "said"),
    [
        ("SC4001E1.npz", {}, r"SC4001E1\.npz and .*SC4001E0\.npz are both night 1 of SC400"),
        ("z_n2.npz", {"subject": "SC400-ses-02"}, r"z_n2\.npz is of subject 'SC400-ses-02', "),
        ("z.npz", {"subject": "sc400", "night": 2}, r"z\.npz is of subject 'sc400', .*'SC400'"),
        ("z.npz", {"subject": ""}, r"z\.npz: the name of its subject is empty"),
    ],
)
def test_recordings_of_any_source_are_looked_at_as_they_are_prepared(
    write_npz: Callable[..., Path], tmp_path: Path, name: str, told: dict[str, Any], said: str
) -> None:
    write_npz("SC4001E0.npz")
    folder = write_npz(name, **told).parent
    spec = DataSpec(source="npz", root=str(folder), sfreq=50, epoch_s=2)
    with pytest.raises(UserError, match=said):
        prepare(spec, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
