"""Samples of EDF, EDF+ and BDF files, read through MNE-Python."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sleepsweep.data.edf.header import EdfHeader, EdfSignal, read_header
from sleepsweep.data.names import PADDING, bare_label
from sleepsweep.data.recording import Epochs, Unit
from sleepsweep.errors import UserError

MICROVOLTS = {"uV": 1.0, "mV": 1e3, "V": 1e6}  # in a unit
# By what MNE multiplies values of some spellings of a unit; it leaves all others as they stand.
MNE_SCALES = {"uV": 1e-6, "µV": 1e-6, "\x83\xcaV": 1e-6, "mV": 1e-3}
LOWEST_SFREQ = 40.0
BLOCK_EPOCHS = 120  # read at once: an hour of 30-s epochs, so that memory is that of the result
MNE_FAILS = (OSError, ValueError, RuntimeError, AssertionError, LookupError)


@dataclass(frozen=True)
class EdfEpochs:
    """Consecutive epochs of a file, (epoch, channel, time) in `unit`, and what they are."""

    epochs: Epochs
    sfreq: float
    channels: tuple[str, ...]
    unit: Unit


def read_edf(
    path: Path, derivations: Sequence[str], epoch_s: float, first_s: float = 0.0
) -> EdfEpochs:
    """Read every whole epoch of `epoch_s` seconds from `first_s` on.

    A derivation is a label of the file, with or without its kind ("EEG Fpz-Cz", "fpz-cz"), or the
    difference of two ("C3-M2", where both C3 and M2 are signals). No derivation stands for the
    file's only signal. Values are in µV where the file's unit is a voltage, else as they stand.
    Only the wanted signals are read, at the rate that the file has for them.

    Raises `UserError` when the file cannot be read, a derivation is not in it, those wanted differ
    in rate or unit, or the rate is below 40 Hz or gives no whole number of samples an epoch.
    """
    header = read_header(path)
    pairs = _pairs(path, header, derivations)
    signals = _agreeing(path, list(dict.fromkeys(signal for pair in pairs for signal in pair)))
    sfreq = signals[0].sfreq
    samples = round(sfreq * epoch_s)
    if not np.isclose(samples, sfreq * epoch_s, rtol=0, atol=1e-3) or sfreq < LOWEST_SFREQ - 1e-3:
        raise UserError(
            f"{path}: {signals[0].label!r} is sampled at {sfreq:g} Hz; needed: at least "
            f"{LOWEST_SFREQ:g} Hz, and a whole number of samples in an epoch of {epoch_s:g} s. "
            "Choose other derivations, or resample the file."
        )
    first = round(first_s * sfreq)
    count = max(0, round(header.duration_s * sfreq) - first) // samples
    return EdfEpochs(
        epochs=_epochs(path, pairs, first, (count, len(pairs), samples)),
        sfreq=sfreq,
        channels=tuple(_name(pair) for pair in pairs),
        unit="uV" if signals[0].unit in MICROVOLTS else "unknown",
    )


def open_raw(path: Path, labels: Sequence[str]) -> Any:
    """Open a file with MNE, its samples left on disk, with only the signals in `labels`.

    `read_header` comes first: it refuses a name that ends otherwise than the format needs. Raises
    `UserError` when MNE cannot read the file.
    """
    from mne.io import read_raw_bdf, read_raw_edf  # takes time

    read = read_raw_bdf if path.suffix.lower() == ".bdf" else read_raw_edf
    try:
        with warnings.catch_warnings():
            # Of dates, filters and lengths; what matters of these, `read_header` has refused.
            warnings.simplefilter("ignore")
            return read(path, include=list(labels), encoding="latin1", verbose="ERROR")
    except MNE_FAILS as error:
        raise UserError(f"{path}: MNE-Python cannot read it ({error}). Export it again.") from error


Pair = tuple[EdfSignal, ...]  # one signal, or two whose difference is meant


def _pairs(path: Path, header: EdfHeader, derivations: Sequence[str]) -> list[Pair]:
    if derivations:
        pairs = [_pair(path, header.signals, derivation) for derivation in derivations]
    elif len(header.signals) == 1:
        pairs = [header.signals]
    else:
        raise UserError(
            f"{path}: no derivation is asked for, and the file holds {_listed(header.signals)}. "
            "Name those wanted in derivations."
        )
    if len(set(pairs)) < len(pairs):
        raise UserError(f"{path}: derivations {', '.join(derivations)} name a signal twice.")
    return pairs


def _pair(path: Path, signals: Sequence[EdfSignal], derivation: str) -> Pair:
    whole = _named(path, signals, derivation)
    if whole is not None:
        return (whole,)
    bare = bare_label(derivation)
    for dash in (place for place, letter in enumerate(bare) if letter == "-"):
        first = _named(path, signals, bare[:dash])
        second = _named(path, signals, bare[dash + 1 :])
        if first is not None and second is not None:
            return (first, second)
    raise UserError(
        f"{path}: has no derivation {derivation!r}; it holds {_listed(signals)}. Name one of "
        "these in derivations, or the difference of two as A-B."
    )


def _named(path: Path, signals: Sequence[EdfSignal], name: str) -> EdfSignal | None:
    for same in (str.strip, bare_label):
        found = [signal for signal in signals if same(signal.label) == same(name)]
        if len(found) > 1:
            raise UserError(
                f"{path}: {name!r} may be any of {_listed(found)}. Name one as the file does; "
                "signals of one label cannot be told apart."
            )
        if found:
            return found[0]
    return None


def _name(pair: Pair) -> str:
    return "-".join(signal.label.strip(PADDING).removeprefix("EEG ") for signal in pair)


def _listed(signals: Sequence[EdfSignal]) -> str:
    return ", ".join(signal.label for signal in signals) or "no signal"


def _agreeing(path: Path, signals: list[EdfSignal]) -> list[EdfSignal]:
    for signal in signals:
        if signal.physical[0] == signal.physical[1] or signal.digital[0] >= signal.digital[1]:
            raise UserError(
                f"{path}: the header gives {signal.label!r} no range of values (physical "
                f"{signal.physical}, digital {signal.digital}). Export the file again."
            )
    if len({signal.sfreq for signal in signals}) > 1:
        rates = ", ".join(f"{signal.label} {signal.sfreq:g} Hz" for signal in signals)
        raise UserError(
            f"{path}: the derivations differ in sampling rate: {rates}. Choose derivations of one "
            "rate, or resample the file."
        )
    if len({signal.unit in MICROVOLTS or signal.unit for signal in signals}) > 1:
        units = ", ".join(f"{signal.label} {signal.unit!r}" for signal in signals)
        raise UserError(f"{path}: the derivations differ in unit: {units}. Choose others.")
    return signals


def _epochs(path: Path, pairs: list[Pair], first: int, shape: tuple[int, int, int]) -> Epochs:
    count, _, samples = shape
    wanted = {signal.label: signal for pair in pairs for signal in pair}
    raw = open_raw(path, list(wanted))
    factors = np.array([[_factor(wanted[label])] for label in raw.ch_names])
    places = [[raw.ch_names.index(signal.label) for signal in pair] for pair in pairs]
    epochs = np.empty(shape, dtype=np.float32)
    for start in range(0, count, BLOCK_EPOCHS):
        stop = min(start + BLOCK_EPOCHS, count)
        values = factors * raw.get_data(start=first + start * samples, stop=first + stop * samples)
        for channel, (plus, *minus) in enumerate(places):
            signal = values[plus] - values[minus[0]] if minus else values[plus]
            epochs[start:stop, channel] = signal.reshape(-1, samples)
    return epochs


def _factor(signal: EdfSignal) -> float:
    # From MNE's values to µV, or to the file's own where its unit is no voltage.
    return MICROVOLTS.get(signal.unit, 1.0) / MNE_SCALES.get(signal.written_unit, 1.0)
