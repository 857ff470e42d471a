"""The augmentations of a published config, in the physical parameters of ours."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sleepsweep.augment import Augmentation, augmentation, check_alternatives, parameters
from sleepsweep.augment.parameters import check_number
from sleepsweep.errors import UserError
from sleepsweep.published.values import (
    Parameters,
    Rule,
    always,
    as_number,
    between,
    count,
    from_zero,
    number,
    reciprocal,
    share_of,
    symmetric,
    to_one,
)
from sleepsweep.spec.pool import KeyedError
from sleepsweep.trial import MemberSpec

CERTAIN = 1.0  # the p where none is given
SFREQ = always(100)
WITH_ZEROS: dict[str, Rule] = {"mode": always("constant"), "cval": always(0)}

RULES: dict[str, dict[str, Rule]] = {
    "RandomAmplitudeScaling": {
        "range": reciprocal("max_gain"), "scale_range": reciprocal("max_gain")
    },
    "RandomDCShift": {"range": symmetric("max_shift_uv")},
    "SignFlip": {},
    "RandomBandStopFilter": {
        "range": between("low_hz", "high_hz"), "band_width": number("width_hz")
    },
    "TailoredMixup": {
        "beta": to_one("min_lambda"),
        "range": to_one("min_lambda"),
        "alpha": number("alpha", wrap_phase=False),  # the README's form has no wrap
    },
    "CutoutResize": {"n_segments": share_of("drop_share")},
    "RandomZeroMasking": {
        "range": from_zero("max_samples", whole=True), "masking_ratio": number("masking_ratio"),
        **WITH_ZEROS,
    },
    "AverageFiltering": {
        "k_range": between("min_kernel", "max_kernel", whole=True),
        "range": between("min_kernel", "max_kernel", whole=True),
        "mode": always("same", "constant"), "cval": always(0),
    },
    "RandomAdditiveGaussianNoise": {
        "range": from_zero("max_sigma_uv", "scale_uv"), "scale": number("scale_uv"),
        "sigma": number("scale_uv"), "scale_range": from_zero("max_sigma_uv", "scale_uv"),
    },
    "TimeReversal": {},
    "TimeWarping": {
        "n_segments": count("n_segments"), "scale_range": reciprocal("max_stretch"),
        "range": reciprocal("max_stretch"), "sigma": number("sigma"),
        "knot_points": count("knot_points"),
    },
    "Permutation": {"n_segments": count("n_segments")},
    "RandomTimeShift": {"range": symmetric("max_samples", whole=True), **WITH_ZEROS},
}  # fmt: skip
"""By augmentation, the keys of both dialects; `EVERYWHERE` and p besides."""

EVERYWHERE: dict[str, Rule] = {"fs": SFREQ, "sampling_rate": SFREQ}
TOGETHER: dict[str, Parameters] = {"TimeWarping": {"knot_points": 5, "sigma": 0.1}}
"""Parameters that only stand together, with the README's values for one that is not given."""


@dataclass(frozen=True)
class Translated:
    """One published augmentation in ours, and what there is to say about its keys."""

    member: MemberSpec
    notes: tuple[str, ...]


def translate_all(published: Mapping[str, Mapping[str, Any]]) -> tuple[Translated, ...]:
    """Translate a config's ``augmentations``, in their order. Raises `KeyedError`."""
    done: dict[str, Translated] = {}
    for name, given in published.items():
        try:
            translated = translate(name, given)
        except KeyedError as error:
            raise KeyedError(str(error), name, *error.path) from error
        ours = translated.member.name
        if ours in done:
            raise KeyedError(f"{ours} is in the list already, by its other name", name)
        done[ours] = translated
    return tuple(done.values())


def translate(name: str, given: Mapping[str, Any]) -> Translated:
    """Translate one augmentation, named as published or by an alias, with its published keys.

    Raises `KeyedError`, whose path leads to the key, for a name, a key or a value that ours has no
    counterpart of.
    """
    kind = _known(name)
    values, notes = _parameters(kind, given)
    if "p" not in given:
        notes.append(f"p is not given: {CERTAIN:g} is taken")
    ours = kind.__name__
    try:
        check_alternatives(kind, values)
        member = MemberSpec(name=ours, p=_p(given), parameters=values)
        member.build()
    except UserError as error:
        keys = " and ".join(key for key in given if key != "p")
        raise KeyedError(f"not possible with {keys} as given: {error}") from error
    return Translated(member, tuple(f"augmentations.{name}: {note}" for note in notes))


def _known(name: str) -> type[Augmentation]:
    kinds = {ours: augmentation(ours) for ours in RULES}
    named = kinds | {alias: kind for kind in kinds.values() for alias in kind.aliases}
    if name not in named:
        near = difflib.get_close_matches(name, list(named), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise KeyedError(f"unknown augmentation; {hint}allowed: {', '.join(named)}")
    return named[name]


def _parameters(kind: type[Augmentation], given: Mapping[str, Any]) -> tuple[Parameters, list[str]]:
    values: Parameters = {}
    said_by: dict[str, str] = {}
    notes = []
    for key in (key for key in given if key != "p"):
        said = _said(kind, key, given[key])
        for field in said:
            if field in values:
                raise KeyedError(f"says the same as {said_by[field]}; give one of them", key)
            said_by[field] = key
        values |= said
        if not said:
            notes.append(f"{key} {given[key]!r} changes nothing, as it is always so")
    for field, value in _missing(kind, values).items():
        notes.append(f"{field} is not given: {value} is taken")
        values[field] = value
    return values, notes


def _missing(kind: type[Augmentation], values: Parameters) -> Parameters:
    together = TOGETHER.get(kind.__name__, {})
    begun = together.keys() & values.keys()
    return {field: value for field, value in together.items() if begun and field not in values}


def _said(kind: type[Augmentation], key: str, value: Any) -> Parameters:
    rules = RULES[kind.__name__] | EVERYWHERE
    if key not in rules:
        allowed = [*rules, "p"]
        near = difflib.get_close_matches(key, allowed, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise KeyedError(f"unknown key; {hint}allowed: {', '.join(allowed)}", key)
    try:
        said = rules[key](value)
        for field, each in said.items():
            check_number(kind.__name__, field, each, parameters(kind)[field])
    except (ValueError, UserError) as error:
        raise KeyedError(str(error), key) from error
    return said


def _p(given: Mapping[str, Any]) -> float:
    try:
        p = as_number(given.get("p", CERTAIN))
        if not 0 <= p <= 1:
            raise ValueError(f"{p} is no probability; possible: from 0 to 1")
    except ValueError as error:
        raise KeyedError(str(error), "p") from error
    return float(p)
