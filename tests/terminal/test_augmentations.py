"""The list of augmentations in the terminal."""

from rich.console import Console

from sleepsweep.augment import RandomZeroMasking, SignFlip, TailoredMixup, augmentations
from sleepsweep.terminal.augmentations import augmentation_list, defaults, severity_map


def test_the_map_holds_the_values_of_the_dial() -> None:
    assert severity_map(RandomZeroMasking) == {0.25: "60", 0.5: "300", 0.75: "769", 1: "1500"}
    assert severity_map(SignFlip) == {}


def test_parameters_are_written_as_in_yaml() -> None:
    assert defaults(TailoredMixup) == ["min_lambda=0.5", "alpha", "wrap_phase=true"]
    assert defaults(SignFlip) == []


def test_every_augmentation_is_listed_but_for_the_placebo() -> None:
    console = Console(width=300)
    with console.capture() as printed:
        console.print(augmentation_list())
    text = printed.get()
    for kind in augmentations().values():
        assert (kind.__name__ in text) == (kind.category != "placebo")
    assert "= TimeReverse" in text
    assert "max_gain 1.33, 2, 2.9, 4" in text
    assert "none: p is its dial" in text
