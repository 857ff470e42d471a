"""A night is prepared as the model's own recordings were, bit for bit, or refused."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfSignal

from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.writing import write_hypnogram, write_psg
from sleepsweep.data.preparation import import_store
from sleepsweep.data.source import DataSpec
from sleepsweep.errors import UserError
from sleepsweep.model import About
from sleepsweep.predict import nights_at, read_night

Describe = Callable[..., About]
Write = Callable[..., Path]
START = datetime(2020, 2, 3, 22, 45, 30)


@pytest.mark.parametrize(("sfreq", "normalize"), [(100.0, "robust"), (80.0, "zscore")])
def test_epochs_are_bit_for_bit_those_of_a_store(
    about: Describe, write_night: Write, tmp_path: Path, sfreq: float, normalize: str
) -> None:
    folder = tmp_path / "nights"
    path = write_night(folder / "SIM0011E0-PSG.edf", sfreq=200)
    write_hypnogram(folder / "SIM0011EC-Hypnogram.edf", [0] * 12 + [2] * 12, 30, START)
    spec = DataSpec.model_validate(
        {"sfreq": sfreq, "normalize": normalize, "wake_crop_min": 1440, "derivations": ["C3-A2"]}
    )
    store = import_store(spec.pointed_at(folder), tmp_path / "store")
    described = about(sfreq=sfreq, normalize=normalize, derivations=store.channels)
    found = read_night(path, described)
    rows = store.rows(["SIM001"])
    assert np.array_equal(found.epochs, store.gather(rows))
    assert np.array_equal(found.positions, store.labels(rows)["position"])


def test_a_faster_night_is_resampled(about: Describe, write_night: Write, tmp_path: Path) -> None:
    slow = read_night(write_night(tmp_path / "a.edf"), about())
    fast = read_night(write_night(tmp_path / "b.edf", sfreq=256), about())
    assert fast.sfreq == 256
    assert fast.epochs.shape == slow.epochs.shape == (24, 1, 3000)
    assert fast.epochs.std() == pytest.approx(slow.epochs.std(), rel=0.2)


def test_silent_and_wild_epochs_are_left_out_and_counted(about: Describe, tmp_path: Path) -> None:
    signal = np.random.default_rng(0).normal(size=24 * 3000) * 20
    signal[3000:6000] = 0
    signal[9000] = 1e5
    write_psg(tmp_path / "a.edf", [signal], ["Fpz-Cz"], 100, START)
    found = read_night(tmp_path / "a.edf", about())
    assert found.count == 24
    assert sorted(set(range(24)) - set(found.positions.tolist())) == [1, 3]
    assert (found.dropped.flat, found.dropped.out_of_range) == (1, 1)


def test_epochs_may_begin_later(about: Describe, night: Path) -> None:
    found = read_night(night, about(), first_s=10.0)
    assert (found.count, found.first_s) == (23, 10.0)


def test_the_clock_goes_on_over_midnight(
    about: Describe, write_night: Write, tmp_path: Path
) -> None:
    found = read_night(write_night(tmp_path / "a.edf", epochs=2 * 75), about())
    assert found.clock(0) == "22:45"
    assert found.clock(3600 * 1.5) == "00:15"
    texts = [text for _, text in found.ticks()]
    assert texts == ["22:50", "23:00", "23:10", "23:20", "23:30", "23:40", "23:50", "00:00"]
    assert found.ticks()[1][0] == pytest.approx((14 * 60 + 30) / 3600)


REFUSED = {
    "too short": ({"epochs": 19}, {}, None, "makes 19 epochs"),
    "too slow": ({"sfreq": 64}, {}, None, "nothing above 32 Hz"),
    "no such derivation": ({}, {"derivations": ("C4-M1",)}, None, "EEG Fpz-Cz, EEG C3-A2"),
    "no such derivation named": ({}, {}, ["O2"], "EEG Fpz-Cz, EEG C3-A2"),
    "several models' channels": ({}, {"derivations": ("Fpz-Cz", "C3-A2")}, ["C3-A2"],
                                 "has 1 derivation (C3-A2), but the model takes 2"),
    "several named": ({}, {}, ["Fpz-Cz", "C3-A2"], "has 2 derivations"),
    "another unit": ({}, {"normalize": "none", "unit": "unknown"}, None,
                     "its samples are in a unit that is uV, but the model takes them as they are"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(
    about: Describe, write_night: Write, tmp_path: Path, case: str
) -> None:
    written, described, derivations, said = REFUSED[case]
    path = write_night(tmp_path / "a.edf", **written)
    with pytest.raises(UserError) as caught:
        read_night(path, about(**described), derivations)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "told", [{"unit": "unknown"}, {"normalize": "none", "unit": "uV|unknown"}, {"unit": None}]
)
def test_a_unit_that_makes_no_difference_is_taken(
    about: Describe, night: Path, told: dict[str, str]
) -> None:
    assert read_night(night, about(**told)).count


def test_a_rate_that_is_rounded_down_is_no_slower_one(about: Describe, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 30, 110 * 655)
    path = tmp_path / "a.edf"
    Edf([EdfSignal(samples, 100, label="EEG Fpz-Cz")], data_record_duration=1.1).write(path)
    assert read_header(path).signals[0].sfreq < 100
    assert read_night(path, about()).count == 24


def test_the_model_s_derivation_is_told_where_it_is_missing(about: Describe, night: Path) -> None:
    with pytest.raises(UserError, match=r"The model takes Pz-Oz; --derivation names"):
        read_night(night, about(derivations=("Pz-Oz|EEG Pz-Oz",)))


@pytest.mark.parametrize("content", [b"", b"no recording", b"\x80\x04K\x01." * 200])
def test_what_is_no_edf_is_refused(about: Describe, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.edf").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.edf"):
        read_night(tmp_path / "a.edf", about())


def test_a_silent_night_is_refused(about: Describe, tmp_path: Path) -> None:
    write_psg(tmp_path / "a.edf", [np.zeros(90_000)], ["Fpz-Cz"], 100, START)
    with pytest.raises(UserError, match=r"no usable epoch is left of 30"):
        read_night(tmp_path / "a.edf", about())


def test_the_nights_of_a_folder_are_its_recordings(write_night: Write, tmp_path: Path) -> None:
    nights = [write_night(tmp_path / name) for name in ("b.edf", "a/x.EDF", "c.edf")]
    write_hypnogram(tmp_path / "b.hypnogram.edf", [0, 1], 30, START)
    (tmp_path / "._b.edf").write_bytes(b"companion")
    (tmp_path / "notes.txt").write_text("text")
    assert nights_at(tmp_path) == sorted(nights)
    assert nights_at(nights[0]) == nights[:1]


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("text")
    with pytest.raises(UserError, match=r"holds no EDF or BDF recording \(found: 1 × \.txt\)"):
        nights_at(tmp_path)
