"""What names tell: people, nights and derivations."""

import pytest

from sleepsweep.data.names import bare_label, person_of, whose


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("SC4001E0-PSG.edf", ("SC400", 1)),
        ("ST7011J0-PSG.edf", ("ST701", 1)),
        ("sc4822gp.npz", ("SC482", 2)),
        ("Sub-07_ses-02_eeg.edf", ("sub-07", 2)),
        ("SIM0001E0-PSG.edf", ("SIM000", 1)),
        ("sim0012.npz", None),
        ("p1_night2.edf", None),
        ("anna.edf", None),
    ],
)
def test_person_of(name: str, person: tuple[str, int] | None) -> None:
    assert person_of(name) == person


@pytest.mark.parametrize("name", ["P01", "p01", "P01_night2", "P01-n1", "P01 ses-02", " P01 "])
def test_names_that_may_be_one_persons(name: str) -> None:
    assert whose(name) == "p01"


@pytest.mark.parametrize("name", ["ucddb002", "n1", "subject_1", "SC400", "anna2", "anna_x1"])
def test_numbers_of_people_are_no_nights(name: str) -> None:
    assert whose(name) == name.casefold()


def test_a_derivation_is_the_same_with_and_without_its_kind() -> None:
    assert bare_label("EEG Fpz-Cz") == bare_label(" fpz-cz ") == "fpz-cz"
    assert bare_label("EOG horizontal") == "horizontal"
    assert bare_label("EEG") == "eeg"
