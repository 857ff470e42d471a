"""Every augmentation and alias, in both dialects: its keys in our physical parameters."""

from typing import Any

import pytest
import torch

from sleepsweep.augment import augmentation
from sleepsweep.published.augmentations import EVERYWHERE, RULES, translate, translate_all
from sleepsweep.spec.pool import KeyedError

CODE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RandomAmplitudeScaling": ({"range": [0.25, 4]}, {"max_gain": 4.0}),
    "RandomAmplitudeScale": ({"scale_range": [0.333, 3]}, {"max_gain": 3.0}),
    "RandomDCShift": ({"range": [-20, 20]}, {"max_shift_uv": 20}),
    "SignFlip": ({}, {}),
    "RandomBandStopFilter": (
        {"range": [2, 25.0], "band_width": 4, "sampling_rate": 100},
        {"low_hz": 2, "high_hz": 25.0, "width_hz": 4},
    ),
    "TailoredMixup": ({"beta": 0.6, "fs": 100.0}, {"min_lambda": 0.6}),
    "CutoutResize": ({"n_segments": 5}, {"drop_share": 0.2}),
    "RandomZeroMasking": ({"range": [0, 600]}, {"max_samples": 600}),
    "AverageFiltering": ({"k_range": [2, 8]}, {"min_kernel": 2, "max_kernel": 8}),
    "AverageFilter": ({"k_range": [3, 10], "mode": "same"}, {"min_kernel": 3, "max_kernel": 10}),
    "RandomAdditiveGaussianNoise": ({"range": [0, 0.5]}, {"max_sigma_uv": 0.5}),
    "TimeReversal": ({"fs": 100}, {}),
    "TimeReverse": ({}, {}),
    "TimeWarping": (
        {"n_segments": 6, "scale_range": [0.5, 2]}, {"n_segments": 6, "max_stretch": 2.0}
    ),
    "Permutation": ({"n_segments": 8}, {"n_segments": 8}),
    "RandomTimeShift": (
        {"range": [-100, 100.0], "mode": "constant", "cval": 0}, {"max_samples": 100}
    ),
}  # fmt: skip

OTHERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("RandomZeroMasking", {"masking_ratio": 0.2}, {"masking_ratio": 0.2}),
    ("TimeWarping", {"sigma": 0.2, "knot_points": 6}, {"sigma": 0.2, "knot_points": 6}),
    ("TimeWarping", {"sigma": 0.2}, {"sigma": 0.2, "knot_points": 5}),
    ("TimeWarping", {"knot_points": 7}, {"sigma": 0.1, "knot_points": 7}),
    ("TimeWarping", {"range": [0.25, 4]}, {"max_stretch": 4.0}),
    ("TailoredMixup", {"alpha": 0.2}, {"alpha": 0.2, "wrap_phase": False}),
    ("TailoredMixup", {"beta": [0.5, 1]}, {"min_lambda": 0.5}),
    ("RandomAdditiveGaussianNoise", {"scale": 1}, {"scale_uv": 1}),
    ("RandomAdditiveGaussianNoise", {"sigma": 0.1}, {"scale_uv": 0.1}),
    ("RandomAdditiveGaussianNoise", {"range": [0.1, 0.1]}, {"scale_uv": 0.1}),
    ("RandomAdditiveGaussianNoise", {"scale_range": [0, 1]}, {"max_sigma_uv": 1}),
    ("RandomDCShift", {"range": [0, 0]}, {"max_shift_uv": 0}),
    ("AverageFiltering", {"range": [3, 5]}, {"min_kernel": 3, "max_kernel": 5}),
]


@pytest.mark.parametrize(
    ("name", "given", "ours"),
    [*((name, given, ours) for name, (given, ours) in CODE.items()), *OTHERS],
)
def test_keys_become_physical_parameters(
    name: str, given: dict[str, Any], ours: dict[str, Any]
) -> None:
    member = translate(name, {**given, "p": 0.6}).member
    assert (member.name, member.p) == (augmentation(name).__name__, 0.6)
    assert dict(member.parameters) == ours
    built = member.build()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 1, 3000, generator=generator)
    assert built.augmentation(x, generator, x.flip(0)).shape == x.shape


def test_every_augmentation_and_every_alias_is_known() -> None:
    aliases = {alias for name in RULES for alias in augmentation(name).aliases}
    assert set(CODE) == {*RULES, *aliases}
    assert len(RULES) == 13


@pytest.mark.parametrize("name", RULES)
def test_without_parameters_it_is_the_published_default(name: str) -> None:
    assert translate(name, {"p": 0.5}).member.build().augmentation == augmentation(name)()


PUBLISHED_DEFAULTS: dict[str, dict[str, Any]] = {
    "RandomAmplitudeScaling": {"range": [0.5, 2]},
    "RandomDCShift": {"range": [-10, 10]},
    "RandomBandStopFilter": {"range": [0.5, 28], "band_width": 2, "sampling_rate": 100},
    "TailoredMixup": {"beta": 0.5},
    "CutoutResize": {"n_segments": 4},
    "RandomZeroMasking": {"range": [0, 300]},
    "AverageFiltering": {"k_range": [3, 10]},
    "RandomAdditiveGaussianNoise": {"range": [0, 0.2]},
    "TimeWarping": {"n_segments": 4, "scale_range": [0.5, 2]},
    "Permutation": {"n_segments": 4},
    "RandomTimeShift": {"range": [-300, 300], "mode": "constant", "cval": 0.0},
}


@pytest.mark.parametrize(("name", "given"), PUBLISHED_DEFAULTS.items())
def test_the_published_defaults_are_ours(name: str, given: dict[str, Any]) -> None:
    assert translate(name, given).member.build().augmentation == augmentation(name)()


def test_every_key_is_translated_or_said_to_change_nothing() -> None:
    for name, (given, ours) in CODE.items():
        said = translate(name, {**given, "p": 1}).notes
        assert len(said) == sum(key in (*EVERYWHERE, "mode", "cval") for key in given), name
        assert bool(ours) or not set(given) - set(EVERYWHERE)


@pytest.mark.parametrize(
    ("name", "given", "path", "message"),
    [
        ("TimeWarp", {}, (), "unknown augmentation; did you mean TimeWarping?.*TimeReverse"),
        ("FTSurrogate", {}, (), "unknown augmentation"),
        ("SignFlip", {"P": 0.5}, ("P",), "unknown key; allowed: fs, sampling_rate, p"),
        ("Permutation", {"n_segment": 4}, ("n_segment",), "did you mean n_segments"),
        ("Permutation", {"range": [1, 2]}, ("range",), "unknown key; .*allowed: n_segments"),
        ("SignFlip", {"p": 1.5}, ("p",), "no probability"),
        ("SignFlip", {"p": "0.5"}, ("p",), "'0.5' is not possible here; possible: a number"),
        ("SignFlip", {"p": True}, ("p",), "possible: a number"),
        ("SignFlip", {"p": None}, ("p",), "None is not possible"),
        ("RandomDCShift", {"range": [-10, 5]}, ("range",), r"possible: \[-a, a\]"),
        ("RandomDCShift", {"range": [10, -10]}, ("range",), "a not above b"),
        ("RandomDCShift", {"range": 10}, ("range",), r"10 is .* two numbers \[a, b\]"),
        ("RandomDCShift", {"range": [-1, 0, 1]}, ("range",), "two numbers"),
        ("RandomDCShift", {"range": [None, 1]}, ("range",), "a number"),
        ("RandomAmplitudeScaling", {"range": [0.8, 1.2]}, ("range",), r"possible: \[1/a, a\]"),
        ("RandomAmplitudeScaling", {"range": [-2, -0.5]}, ("range",), "max_gain = -0.5"),
        ("RandomBandStopFilter", {"sampling_rate": 250}, ("sampling_rate",), "possible: 100"),
        ("RandomBandStopFilter", {"range": [1, 60]}, (), "range as given: .*half the sampling"),
        ("TailoredMixup", {"beta": 2}, ("beta",), "min_lambda = 2.*at most 1"),
        ("TailoredMixup", {"beta": [0.5, 0.9]}, ("beta",), r"possible: \[a, 1\]"),
        ("TailoredMixup", {"beta": 0.5, "alpha": 0.2}, (), "with beta and alpha as given: "),
        ("TailoredMixup", {"fs": True}, ("fs",), "possible: 100"),
        ("CutoutResize", {"n_segments": 1}, ("n_segments",), "at least 2"),
        ("CutoutResize", {"n_segments": 2.5}, ("n_segments",), "a whole number"),
        ("RandomZeroMasking", {"range": [100, 300]}, ("range",), r"possible: \[0, a\]"),
        ("RandomZeroMasking", {"masking_ratio": 2}, ("masking_ratio",), "at most 1"),
        ("RandomZeroMasking", {"cval": 1}, ("cval",), "possible: 0"),
        ("RandomZeroMasking", {"range": [0, 9], "masking_ratio": 0.1}, (), "with .* and "),
        ("AverageFiltering", {"k_range": [0, 3]}, ("k_range",), "min_kernel = 0"),
        (
            "AverageFilter", {"k_range": [3, 9], "range": [3, 9]}, ("range",),
            "says the same as k_range",
        ),
        ("RandomTimeShift", {"mode": "nearest"}, ("mode",), "'nearest' .*possible: 'constant'"),
        ("RandomTimeShift", {"mode": ["constant"]}, ("mode",), "possible: 'constant'"),
        ("RandomTimeShift", {"range": [-0.5, 0.5]}, ("range",), "a whole number"),
        ("TimeWarping", {"sigma": 0.1, "n_segments": 4}, (), "not possible with .* and "),
        ("TimeWarping", {"knot_points": 3}, ("knot_points",), "at least 4"),
        ("Permutation", {"n_segments": {"a": 1}}, ("n_segments",), "a number"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_at_its_key(
    name: str, given: dict[str, Any], path: tuple[str, ...], message: str
) -> None:
    with pytest.raises(KeyedError, match=message) as refused:
        translate(name, given)
    assert refused.value.path == path


def test_an_augmentation_by_both_its_names_is_refused() -> None:
    with pytest.raises(KeyedError, match="TimeReversal is in the list already") as refused:
        translate_all({"TimeReversal": {}, "SignFlip": {}, "TimeReverse": {"p": 0.5}})
    assert refused.value.path == ("TimeReverse",)
