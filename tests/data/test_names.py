"""What names tell: people, nights and derivations."""

import pytest

from sleepsweep.data.names import bare_label, person_of


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


def test_a_derivation_is_the_same_with_and_without_its_kind() -> None:
    assert bare_label("EEG Fpz-Cz") == bare_label(" fpz-cz ") == "fpz-cz"
    assert bare_label("EOG horizontal") == "horizontal"
    assert bare_label("EEG") == "eeg"
