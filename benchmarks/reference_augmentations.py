"""The 13 augmentations as the published study works: one epoch at a time, in NumPy and SciPy.

What `benchmarks.augmentations` measures against, and a second derivation for its tests. Written
from the published definitions in the plain way: an epoch is an array (time,), random numbers come
from the global generators of `random` and NumPy, and a policy goes through its members epoch by
epoch. Not to be tuned: it stands for what users have today.

Of each augmentation there is the operation, which is told what was drawn, and, in `REFERENCES`,
the same with its draws.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

Epoch = npt.NDArray[Any]

SFREQ = 100.0  # Hz


def scaled(x: Epoch, gain: float) -> Epoch:
    """RandomAmplitudeScaling."""
    return x * gain


def offset(x: Epoch, shift_uv: float) -> Epoch:
    """RandomDCShift."""
    return x + shift_uv


def flipped(x: Epoch) -> Epoch:
    """SignFlip."""
    return -x


def band_stopped(x: Epoch, low_edge_hz: float, width_hz: float = 2.0) -> Epoch:
    """RandomBandStopFilter."""
    centre_hz = low_edge_hz + width_hz / 2
    b, a = signal.iirnotch(centre_hz, centre_hz / width_hz, fs=SFREQ)
    return np.asarray(signal.lfilter(b, a, x))


def mixed(x: Epoch, partner: Epoch, for_magnitude: float, for_phase: float) -> Epoch:
    """TailoredMixup."""
    own, other = np.fft.fft(x), np.fft.fft(partner)
    magnitude = for_magnitude * np.abs(own) + (1 - for_magnitude) * np.abs(other)
    phase = np.angle(own)
    difference = phase - np.angle(other)
    wrapped = np.pi - (np.pi - difference) % (2 * np.pi)  # in (−π, π]
    phase = phase - (1 - for_phase) * wrapped
    return np.real(np.fft.ifft(magnitude * np.exp(1j * phase)))


def cut_and_resized(x: Epoch, dropped: int, n_segments: int = 4) -> Epoch:
    """CutoutResize, of which segment number `dropped` is left out."""
    segments = np.array_split(x, n_segments)
    kept = np.concatenate(segments[:dropped] + segments[dropped + 1 :])
    return np.asarray(signal.resample(kept, len(x)))


def zeroed(x: Epoch, start: int, window: int) -> Epoch:
    """RandomZeroMasking."""
    result = x.copy()
    result[start : start + window] = 0
    return result


def averaged(x: Epoch, kernel: int) -> Epoch:
    """AverageFiltering."""
    return np.convolve(x, np.ones(kernel) / kernel, mode="same")


def noisy(x: Epoch, noise_uv: Epoch) -> Epoch:
    """RandomAdditiveGaussianNoise."""
    return x + noise_uv


def reversed_in_time(x: Epoch) -> Epoch:
    """TimeReversal."""
    return x[::-1]


def warped(x: Epoch, stretches: Sequence[float]) -> Epoch:
    """TimeWarping, of one segment for each stretch."""
    segments = np.array_split(x, len(stretches))
    stretched = [
        signal.resample(segment, max(1, round(len(segment) * stretch)))
        for segment, stretch in zip(segments, stretches, strict=True)
    ]
    return np.asarray(signal.resample(np.concatenate(stretched), len(x)))


def permuted(x: Epoch, order: Sequence[int]) -> Epoch:
    """Permutation, of one segment for each place in the order."""
    segments = np.array_split(x, len(order))
    return np.concatenate([segments[number] for number in order])


def shifted(x: Epoch, samples: int) -> Epoch:
    """RandomTimeShift, with the spline that `scipy.ndimage.shift` takes when told nothing else."""
    return np.asarray(ndimage.shift(x, samples, mode="constant", cval=0.0))


def _mixed(x: Epoch, partner: Epoch) -> Epoch:
    return mixed(x, partner, random.uniform(0.5, 1.0), random.uniform(0.5, 1.0))


def _zeroed(x: Epoch, partner: Epoch) -> Epoch:
    window = random.randint(0, 300)
    return zeroed(x, random.randint(0, len(x) - window), window)


def _noisy(x: Epoch, partner: Epoch) -> Epoch:
    return noisy(x, np.random.normal(0.0, random.uniform(0.0, 0.2), len(x)))


def _warped(x: Epoch, partner: Epoch) -> Epoch:
    return warped(x, [random.uniform(0.5, 2.0) for _ in range(4)])


def _permuted(x: Epoch, partner: Epoch) -> Epoch:
    order = list(range(4))
    random.shuffle(order)
    return permuted(x, order)


# Each takes an epoch and another epoch to mix with, and draws with the published defaults.
REFERENCES: dict[str, Callable[[Epoch, Epoch], Epoch]] = {
    "RandomAmplitudeScaling": lambda x, partner: scaled(x, random.uniform(0.5, 2.0)),
    "RandomDCShift": lambda x, partner: offset(x, random.uniform(-10.0, 10.0)),
    "SignFlip": lambda x, partner: flipped(x),
    "RandomBandStopFilter": lambda x, partner: band_stopped(x, random.uniform(0.5, 28.0)),
    "TailoredMixup": _mixed,
    "CutoutResize": lambda x, partner: cut_and_resized(x, random.randrange(4)),
    "RandomZeroMasking": _zeroed,
    "AverageFiltering": lambda x, partner: averaged(x, random.randint(3, 10)),
    "RandomAdditiveGaussianNoise": _noisy,
    "TimeReversal": lambda x, partner: reversed_in_time(x),
    "TimeWarping": _warped,
    "Permutation": _permuted,
    "RandomTimeShift": lambda x, partner: shifted(x, random.randint(-300, 300)),
}


def augmented(name: str, epochs: Epoch, partners: Epoch) -> Epoch:
    """Return epochs (batch, time) augmented one by one, as a batch in float32."""
    apply = REFERENCES[name]
    results = [apply(x, partner) for x, partner in zip(epochs, partners, strict=True)]
    return np.stack(results, dtype=np.float32)


def view(x: Epoch, policy: dict[str, float], partner: Epoch) -> Epoch:
    """Return a view of one epoch (time,): the members by name, each with its probability."""
    for name, p in policy.items():
        if random.random() < p:
            x = REFERENCES[name](x, partner)
    return x


def views(epochs: Epoch, policy: dict[str, float], data: Epoch) -> tuple[Epoch, Epoch]:
    """Return two views of each epoch (batch, time), mixed with one epoch of `data` (n, time)."""
    first, second = [], []
    for x in epochs:
        partner = data[random.randrange(len(data))]
        first.append(view(x, policy, partner))
        second.append(view(x, policy, partner))
    return np.stack(first, dtype=np.float32), np.stack(second, dtype=np.float32)
