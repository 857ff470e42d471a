"""The registry, the parameters and what the base refuses."""

from collections import Counter
from dataclasses import dataclass

import pytest
import torch

from sleepsweep.augment import (
    Augmentation,
    CutoutResize,
    Parameter,
    RandomAdditiveGaussianNoise,
    RandomBandStopFilter,
    RandomDCShift,
    RandomTimeShift,
    RandomZeroMasking,
    Signal,
    SignFlip,
    TailoredMixup,
    TimeWarping,
    augmentation,
    augmentations,
    check_alternatives,
    parameters,
)
from sleepsweep.augment.amplitude import Amplitude
from sleepsweep.errors import UserError


def test_the_thirteen_of_the_study_four_more_and_the_placebo():
    categories = Counter(cls.category for cls in augmentations().values())
    assert dict(categories) == {
        "amplitude": 3, "frequency": 4, "masking": 4, "noise": 2, "temporal": 4, "placebo": 1
    }  # fmt: skip
    assert list(categories)[-1] == "placebo"
    assert sum("Gupta 2025" in cls.source() for cls in augmentations().values()) == 13


def test_category_is_the_file():
    for cls in augmentations().values():
        if cls.__module__.startswith("sleepsweep."):
            assert cls.__module__ == f"sleepsweep.augment.{cls.category}"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("RandomAmplitudeScale", "RandomAmplitudeScaling"),
        ("AverageFilter", "AverageFiltering"),
        ("TimeReverse", "TimeReversal"),
        ("Permutation", "Permutation"),
    ],
)
def test_names_and_aliases_find_the_class(alias, name):
    assert augmentation(alias) is augmentations()[name]


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(UserError, match=r"'SignFlop'. Did you mean SignFlip\? Known: Random.*Pla"):
        augmentation("SignFlop")
    with pytest.raises(UserError, match=r"unknown augmentation 'xyz'. Known"):
        augmentation("xyz")


@pytest.mark.usefixtures("scratch_registry")
def test_a_new_augmentation_is_one_class(epochs, seeded):
    @dataclass(frozen=True)
    class Silence(Amplitude):
        """Zero."""

        aliases = ("Mute",)

        def apply(self, x, generator, partner):
            return 0 * x

    assert augmentation("Mute") is augmentations()["Silence"] is Silence
    assert not augmentation("Silence")()(epochs(), seeded(0)).any()


@pytest.mark.usefixtures("scratch_registry")
@pytest.mark.parametrize(
    ("name", "aliases"), [("SignFlip", ()), ("TimeReverse", ()), ("New", ("AverageFilter",))]
)
def test_a_name_used_twice_is_an_error(name, aliases):
    with pytest.raises(TypeError, match="used twice"):
        type(name, (Amplitude,), {"aliases": aliases})


@pytest.mark.usefixtures("scratch_registry")
def test_slots_and_a_missing_category_are_errors():
    with pytest.raises(TypeError, match="slots=True"):
        dataclass(frozen=True, slots=True)(type("Slotted", (Amplitude,), {}))
    with pytest.raises(TypeError, match="no category"):
        type("Homeless", (Augmentation,), {})


def test_the_base_and_a_category_are_no_augmentations():
    assert "Amplitude" not in augmentations()
    with pytest.raises(TypeError, match="abstract"):
        Amplitude()


def test_parameters_are_those_of_the_user():
    assert parameters(RandomDCShift) == {
        "max_shift_uv": Parameter(float, 10.0, 0.0, float("inf")),
        "max_shift_sd": Parameter(float, None, 0.0, float("inf")),
    }
    assert parameters(TailoredMixup)["wrap_phase"].kind is bool
    assert list(parameters(RandomBandStopFilter)) == ["width_hz", "low_hz", "high_hz"]
    assert parameters(RandomTimeShift)["max_samples"].kind is int
    assert parameters(SignFlip) == {}


def test_the_signal_sets_what_it_knows():
    signal = Signal(sfreq=128.0, uv_per_unit=1e6)
    assert RandomDCShift(5.0).in_signal(signal) == RandomDCShift(5.0, uv_per_unit=1e6)
    assert RandomBandStopFilter().in_signal(signal) == RandomBandStopFilter(sfreq=128.0)
    assert SignFlip().in_signal(signal) == SignFlip()
    with pytest.raises(UserError, match="Signal: sfreq = 0"):
        Signal(sfreq=0)


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (RandomTimeShift, {"max_samples": -1}, "max_samples = -1; .*whole number, at least 0"),
        (RandomTimeShift, {"max_samples": 1.5}, "max_samples = 1.5; .*whole number"),
        (RandomTimeShift, {"max_samples": True}, "max_samples = True"),
        (RandomDCShift, {"max_shift_uv": "ten"}, "max_shift_uv = 'ten'; it must be a number"),
        (RandomDCShift, {"max_shift_uv": float("inf")}, "max_shift_uv = inf"),
        (CutoutResize, {"drop_share": 0.6}, "CutoutResize: .*at least 0 and at most 0.5"),
        (TailoredMixup, {"min_lambda": float("nan")}, "min_lambda = nan"),
        (TailoredMixup, {"alpha": 0}, "alpha = 0; .*at least 0.05"),
        (TailoredMixup, {"wrap_phase": 1}, "wrap_phase = 1; it must be true or false"),
        (TimeWarping, {"knot_points": 4.5, "sigma": 0.1}, "knot_points = 4.5.*whole number"),
    ],
)
def test_a_parameter_out_of_range_is_the_users_error(cls, values, message):
    with pytest.raises(UserError, match=message):
        cls(**values)


@pytest.mark.parametrize(
    ("cls", "values", "message"),
    [
        (TailoredMixup, {"min_lambda": 0.4, "alpha": 0.2}, "alpha stands instead of min_lambda"),
        (TimeWarping, {"n_segments": 5, "knot_points": 5, "sigma": 0.1}, "instead of n_segments"),
        (TimeWarping, {"sigma": 0.1}, "knot_points = None and sigma = 0.1.*needs both"),
        (RandomZeroMasking, {"max_samples": 0, "masking_ratio": 0.1}, "instead of max_samples"),
        (RandomDCShift, {"max_shift_uv": 5, "max_shift_sd": 1}, "max_shift_sd stands instead of"),
        (RandomAdditiveGaussianNoise, {"max_sigma_uv": 5, "scale_uv": 1}, "exclude each other"),
        (RandomAdditiveGaussianNoise, {"scale_sd": 5, "scale_uv": 1}, "scale_sd stands instead"),
        (RandomAdditiveGaussianNoise, {"max_sigma_sd": 5, "scale_sd": 1}, "instead of max_sigma_s"),
    ],
)
def test_alternatives_exclude_each_other(cls, values, message):
    with pytest.raises(UserError, match=rf"{cls.__name__}: .*{message}"):
        cls(**values)


def test_names_that_exclude_each_other_are_found_at_any_value():
    # As a YAML gives them: an explicit default is not seen in the object any more.
    check_alternatives(RandomZeroMasking, ["masking_ratio"])
    with pytest.raises(UserError, match="masking_ratio stands instead of max_samples"):
        check_alternatives(RandomZeroMasking, ["max_samples", "masking_ratio"])


def test_microvolts_and_standard_deviations_are_not_confused(epochs, seeded):
    # Recordings in volts whose sd is 20 µV: an offset of half an sd is one of 10 µV.
    x, signal = epochs() * 1e-6, Signal(uv_per_unit=1e6, units_per_sd=20e-6)
    in_sd, in_uv = RandomDCShift(max_shift_sd=0.5), RandomDCShift(max_shift_uv=10.0)
    torch.testing.assert_close(
        in_sd.in_signal(signal)(x, seeded(1)), in_uv.in_signal(signal)(x, seeded(1))
    )
    unknown = in_sd.in_signal(Signal(uv_per_unit=1e6))
    with pytest.raises(UserError, match=r"RandomDCShift: .*\(_sd\).*not known"):
        unknown(x, seeded(1))


def test_definition_and_source_are_the_ends_of_the_docstring():
    assert SignFlip.definition() == "−x: the polarity of the derivation is reversed."
    assert TailoredMixup.source().startswith("Gupta 2025")
    assert augmentation("Placebo").source() == ""


@pytest.mark.parametrize("x", [torch.zeros(2, 1, 30, dtype=torch.int64), torch.zeros(2, 30)])
def test_what_is_no_batch_of_epochs_is_refused(x, seeded):
    with pytest.raises(UserError, match=r"SignFlip: got a torch.*\(batch, channel, time\)"):
        SignFlip()(x, seeded(0))


def test_mixing_needs_a_partner_like_the_epochs(epochs, seeded):
    x = epochs()
    with pytest.raises(UserError, match=r"needs a tensor .*\(5, 2, 301\).*given: none"):
        TailoredMixup()(x, seeded(0))
    for partner in (x[:1], x.float()):
        with pytest.raises(UserError, match="TailoredMixup mixes each epoch with a partner"):
            TailoredMixup()(x, seeded(0), partner)
