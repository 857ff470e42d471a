"""Samples of EDF and BDF files: the right signals, in µV, at their own rate."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from edfio import Bdf, BdfSignal, Edf, EdfAnnotation, EdfSignal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sleepsweep.data.edf.signals import BLOCK_EPOCHS, read_edf
from sleepsweep.data.edf.writing import write_psg
from sleepsweep.errors import UserError

START = datetime(1989, 4, 24, 16, 13)


def signal(label: str, sfreq: float = 100, unit: str = "uV", seconds: int = 12) -> EdfSignal:
    values = np.random.default_rng(len(label)).normal(0, 20, int(sfreq * seconds))
    return EdfSignal(values, sfreq, label=label, physical_dimension=unit)


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """12 s as a cassette recorder's: 100 Hz, and 1 Hz besides."""
    signals = [signal("EEG Fpz-Cz"), signal("EEG Pz-Oz"), signal("EOG horizontal")]
    signals += [signal("EMG submental", 1), signal("Temp rectal", 1, "DegC")]
    Edf(signals).write(tmp_path / "a.edf")
    return tmp_path / "a.edf"


def test_one_derivation(cassette: Path) -> None:
    read = read_edf(cassette, ["Fpz-Cz"], 2)
    assert read.epochs.shape == (6, 1, 200)
    assert read.epochs.dtype == np.float32
    assert (read.sfreq, read.channels, read.unit) == (100.0, ("Fpz-Cz",), "uV")
    assert read.epochs.reshape(-1) == pytest.approx(signal("EEG Fpz-Cz").data, abs=2e-3)


def test_several_in_the_order_asked_for(cassette: Path) -> None:
    read = read_edf(cassette, ["horizontal", "eeg pz-oz"], 3)
    assert read.channels == ("EOG horizontal", "Pz-Oz")
    assert read.epochs[:, 0].reshape(-1) == pytest.approx(signal("EOG horizontal").data, abs=2e-3)
    assert read.epochs[:, 1].reshape(-1) == pytest.approx(signal("EEG Pz-Oz").data, abs=2e-3)


def test_from_a_moment_on_whole_epochs_only(cassette: Path) -> None:
    read = read_edf(cassette, ["Pz-Oz"], 5, first_s=1.5)
    expected = signal("EEG Pz-Oz").data[150:1150]
    assert read.epochs.shape == (2, 1, 500)
    assert read.epochs.reshape(-1) == pytest.approx(expected, abs=2e-3)


def test_more_than_is_read_at_once(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(2, 60 * (2 * BLOCK_EPOCHS + 7)))
    write_psg(tmp_path / "a.edf", values, ["C3", "C4"], 60, START)
    read = read_edf(tmp_path / "a.edf", ["C3", "C4"], 1)
    assert read.epochs.transpose(1, 0, 2).reshape(2, -1) == pytest.approx(values, abs=1e-3)


def test_the_difference_of_two(tmp_path: Path) -> None:
    Edf([signal("C3"), signal("M2-ref"), signal("C4")]).write(tmp_path / "a.edf")
    read = read_edf(tmp_path / "a.edf", ["c3-m2-ref"], 2)
    expected = signal("C3").data - signal("M2-ref").data
    assert read.channels == ("C3-M2-ref",)
    assert read.epochs.reshape(-1) == pytest.approx(expected, abs=4e-3)


def test_a_derivation_by_that_name_wins_over_the_difference(tmp_path: Path) -> None:
    Edf([signal("C3"), signal("M2"), signal("EEG C3-M2")]).write(tmp_path / "a.edf")
    read = read_edf(tmp_path / "a.edf", ["C3-M2"], 2)
    assert read.epochs.reshape(-1) == pytest.approx(signal("EEG C3-M2").data, abs=2e-3)


def test_the_only_signal_needs_no_name(tmp_path: Path) -> None:
    Edf([signal("C3")], annotations=[EdfAnnotation(0, 1, "W")]).write(tmp_path / "a.edf")
    assert read_edf(tmp_path / "a.edf", [], 2).channels == ("C3",)


@pytest.mark.parametrize(
    ("written", "factor"),
    [
        (b"mV", 1e3),
        (b"mv", 1e3),
        (b"uV", 1.0),
        (b"uv", 1.0),
        (b"V", 1e6),
        ("µV".encode(), 1.0),
        ("μV".encode(), 1.0),
        ("µV".encode("latin1"), 1.0),
        ("μV".encode("shift_jis"), 1.0),
        (b"uV\0\0\0\0\0\0", 1.0),
    ],
)
def test_voltages_are_in_microvolts(tmp_path: Path, written: bytes, factor: float) -> None:
    Edf([signal("C3", unit="volts")]).write(tmp_path / "a.edf")
    contents = (tmp_path / "a.edf").read_bytes()
    (tmp_path / "a.edf").write_bytes(contents.replace(b"volts   ", written.ljust(8)))
    read = read_edf(tmp_path / "a.edf", ["C3"], 2)
    assert read.unit == "uV"
    expected = factor * signal("C3").data
    assert read.epochs.reshape(-1) == pytest.approx(expected, abs=2e-3 * factor)


def test_other_units_stand_as_they_are(tmp_path: Path) -> None:
    Edf([signal("C3", unit="")]).write(tmp_path / "a.edf")
    read = read_edf(tmp_path / "a.edf", ["C3"], 2)
    assert read.unit == "unknown"
    assert read.epochs.reshape(-1) == pytest.approx(signal("C3").data, abs=2e-3)


def test_bdf(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(0, 20, 1200)
    Bdf([BdfSignal(values, 100, label="C3", physical_dimension="uV")]).write(tmp_path / "a.bdf")
    assert read_edf(tmp_path / "a.bdf", ["C3"], 2).epochs.reshape(-1) == pytest.approx(
        values, abs=1e-4
    )


HOSTILE = {
    "no such derivation": (["C3"], "no derivation 'C3'; it holds EEG Fpz-Cz, EEG Pz-Oz, EOG hori"),
    "half a difference": (["Fpz-Cz-A1"], "has no derivation 'Fpz-Cz-A1'"),
    "none asked for": ([], "no derivation is asked for, and the file holds EEG Fpz-Cz, EEG Pz-Oz"),
    "twice": (["Fpz-Cz", "EEG Fpz-Cz"], "name a signal twice"),
    "two rates": (["Fpz-Cz", "submental"], "rate: EEG Fpz-Cz 100 Hz, EMG submental 1 Hz"),
    "too slow": (["submental"], "sampled at 1 Hz; needed: at least 40 Hz"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_derivations_that_cannot_be_read(cassette: Path, case: str) -> None:
    derivations, message = HOSTILE[case]
    with pytest.raises(UserError, match=message) as caught:
        read_edf(cassette, derivations, 2)
    assert str(caught.value).startswith(f"{cassette}: ")


def test_a_rate_that_gives_no_whole_number_of_samples(tmp_path: Path) -> None:
    Edf([signal("C3", 50)]).write(tmp_path / "a.edf")
    with pytest.raises(UserError, match=r"sampled at 50 Hz.*whole number .* 0\.25 s"):
        read_edf(tmp_path / "a.edf", ["C3"], 0.25)


def test_voltages_of_two_units_go_together(tmp_path: Path) -> None:
    Edf([signal("C3"), signal("M2", unit="mV")]).write(tmp_path / "a.edf")
    read = read_edf(tmp_path / "a.edf", ["C3", "C3-M2"], 2)
    expected = signal("C3").data - 1e3 * signal("M2").data
    assert read.epochs[:, 1].reshape(-1) == pytest.approx(expected, abs=2)
    assert read.epochs[:, 0].reshape(-1) == pytest.approx(signal("C3").data, abs=2e-3)


def test_two_units(tmp_path: Path) -> None:
    Edf([signal("C3"), signal("SpO2", unit="%")]).write(tmp_path / "a.edf")
    with pytest.raises(UserError, match="differ in unit: C3 'uV', SpO2 '%'"):
        read_edf(tmp_path / "a.edf", ["C3", "SpO2"], 2)


def test_labels_that_cannot_be_told_apart(tmp_path: Path) -> None:
    Edf([signal("C3"), signal("C3")]).write(tmp_path / "a.edf")
    with pytest.raises(UserError, match="'C3' may be any of C3, C3"):
        read_edf(tmp_path / "a.edf", ["C3"], 2)


def test_no_range_of_values(tmp_path: Path) -> None:
    Edf([signal("C3")]).write(tmp_path / "a.edf")
    contents = bytearray((tmp_path / "a.edf").read_bytes())
    contents[256 + 104 : 256 + 120] = b"5       5       "
    (tmp_path / "a.edf").write_bytes(contents)
    with pytest.raises(UserError, match=r"'C3' no range of values \(physical \(5\.0, 5\.0\)"):
        read_edf(tmp_path / "a.edf", ["C3"], 2)


def test_labels_padded_with_zero_bytes(tmp_path: Path) -> None:
    Edf([signal("EEG C3"), signal("C4")]).write(tmp_path / "a.edf")
    contents = (tmp_path / "a.edf").read_bytes()
    (tmp_path / "a.edf").write_bytes(contents.replace(b"EEG C3" + b" " * 10, b"EEG C3" + bytes(10)))
    read = read_edf(tmp_path / "a.edf", ["C3"], 2)
    assert read.channels == ("C3",)
    assert read.epochs.reshape(-1) == pytest.approx(signal("EEG C3").data, abs=2e-3)


@given(place=st.integers(0, 1100), new=st.binary(min_size=1, max_size=3), size=st.integers(0, 6000))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_refused_or_read(cassette: Path, place: int, new: bytes, size: int) -> None:
    contents = cassette.read_bytes()
    damaged = contents[:place] + new + contents[place + len(new) :]
    path = cassette.with_name("damaged.edf")
    path.write_bytes(damaged[: len(damaged) - size // 2])
    refusal = f"{path}: "
    try:
        assert read_edf(path, ["Fpz-Cz"], 2).epochs.shape[1] == 1
    except UserError as error:
        refusal = str(error)
    assert refusal.startswith(f"{path}: ")


def test_the_name_of_another_format(cassette: Path) -> None:
    with pytest.raises(UserError, match=r"is EDF inside, .* Rename to a\.edf"):
        read_edf(cassette.rename(cassette.with_suffix(".bdf")), ["Fpz-Cz"], 2)


def test_nothing_is_printed(cassette: Path, capfd: pytest.CaptureFixture[str]) -> None:
    read_edf(cassette, ["Fpz-Cz"], 2)
    assert capfd.readouterr() == ("", "")
