"""The benchmark of augmentations runs, and what it measures against means the same."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import augmentations as benchmark
from benchmarks import reference_augmentations as reference
from benchmarks.timing import medians
from sleepsweep.augment import (
    AverageFiltering,
    Permutation,
    RandomAdditiveGaussianNoise,
    RandomAmplitudeScaling,
    RandomBandStopFilter,
    RandomDCShift,
    RandomTimeShift,
    RandomZeroMasking,
    SignFlip,
    TailoredMixup,
    TimeReversal,
    augmentations,
)
from sleepsweep.augment.draws import uniform, unit, whole

ROOT = Path(__file__).parents[2]
EPOCHS = 6


def draws() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def epochs(seed: int = 0) -> Tensor:
    return 30 * torch.randn(EPOCHS, 1, 3000, generator=torch.Generator().manual_seed(seed))


def scaled(x, generator):
    return [reference.scaled, uniform(x, 0.5, 2.0, generator)]


def offset(x, generator):
    return [reference.offset, uniform(x, -10.0, 10.0, generator)]


def band_stopped(x, generator):
    return [reference.band_stopped, uniform(x, 0.5, 28.0, generator)]


def averaged(x, generator):
    return [reference.averaged, whole(x, 3, 10, generator)]


def shifted(x, generator):
    return [reference.shifted, whole(x, -300, 300, generator)]


def zeroed(x, generator):
    window = whole(x, 0, 300, generator)
    start = (unit(x, 1, generator) * (x.shape[-1] - window + 1)).long()
    return [reference.zeroed, start, window]


def noisy(x, generator):
    sigma = uniform(x, 0.0, 0.2, generator)
    return [reference.noisy, sigma * torch.randn(x.shape, generator=generator)[:, 0]]


def permuted(x, generator):
    return [reference.permuted, unit(x, 4, generator).argsort(1)]


def mixed(x, generator):
    weights = [uniform(x, 0.5, 1.0, generator) for _ in range(2)]
    return [reference.mixed, epochs(1)[:, 0], *weights]


@pytest.mark.parametrize(
    ("augmentation", "drawn", "tolerance"),
    [
        (RandomAmplitudeScaling(), scaled, 1e-6),
        (RandomDCShift(), offset, 1e-6),
        (SignFlip(), lambda x, generator: [reference.flipped], 0),
        (RandomBandStopFilter(), band_stopped, 1e-5),
        (TailoredMixup(), mixed, 1e-5),
        (RandomZeroMasking(), zeroed, 0),
        (AverageFiltering(), averaged, 1e-6),
        (RandomAdditiveGaussianNoise(), noisy, 1e-6),
        (TimeReversal(), lambda x, generator: [reference.reversed_in_time], 0),
        (Permutation(), permuted, 0),
        (RandomTimeShift(), shifted, 1e-5),  # the reference's is a spline, exact but for rounding
    ],
)
def test_ours_and_the_reference_agree_where_they_are_defined_alike(augmentation, drawn, tolerance):
    """The tolerance is relative to the largest value; the other two resample in another way."""
    x = epochs()
    operation, *arguments = drawn(x, draws())
    got = augmentation(x, draws(), epochs(1))[:, 0].double().numpy()
    for row, epoch in enumerate(x[:, 0].double().numpy()):
        own = [each[row].squeeze().tolist() for each in arguments]
        want = operation(epoch, *(np.array(each) if np.ndim(each) else each for each in own))
        assert np.abs(got[row] - want).max() <= tolerance * np.abs(want).max()


@pytest.mark.parametrize("name", reference.REFERENCES)
def test_every_reference_is_one_of_ours_and_keeps_the_shape(name):
    x = epochs()[:, 0].numpy()
    random.seed(0)
    np.random.seed(0)
    result = reference.augmented(name, x, x[::-1])
    assert name in augmentations()
    assert result.shape == x.shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert not np.array_equal(result, x)


def test_the_reference_applies_each_member_with_its_probability():
    x = epochs()[:, 0].numpy()
    random.seed(0)
    same, _ = reference.views(x, {"SignFlip": 0.0}, x)
    flipped, _ = reference.views(x, {"SignFlip": 1.0, "TimeReversal": 1.0}, x)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(flipped, -x[:, ::-1])
    one, two = reference.views(np.tile(x, (50, 1)), {"SignFlip": 0.5}, x)
    assert 0.3 < (one == two).all(1).mean() < 0.7


def test_times_are_of_one_call_of_each_work():
    calls = {"one": 0, "two": 0}

    def work(name):
        calls[name] += 1

    times = medians({name: lambda name=name: work(name) for name in calls}, repeats=3)
    assert set(times) == set(calls)
    assert all(0 < each < 1e-3 for each in times.values())
    assert min(calls.values()) > 30  # a quick work is called several times a measurement


def test_a_missing_braindecode_is_an_error(monkeypatch):
    monkeypatch.setattr(benchmark.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install --no-deps braindecode"):
        benchmark.braindecode_augmentation()


@pytest.mark.slow
def test_augmentations_are_measured():
    command = [sys.executable, "-m", "benchmarks.augmentations", "--epochs", "8", "--repeats", "1"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *tables, line = run.stdout.splitlines()
    assert sum(row.startswith("| ---") for row in tables) == 3
    results = json.loads(line)
    assert set(results["reference"]) == set(reference.REFERENCES)
    assert set(results["braindecode"]) == set(benchmark.SHARED)
    assert len(results["braindecode"]) == 7
    assert set(results["by_probability"]) == {"0.1", "0.5", "1.0"}
    assert results["network"]["policy"] > 0
    assert results["peak_memory"]["policy"] > 0
