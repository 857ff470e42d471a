"""Spectra of short signals by products of matrices, which leave them as the next product wants."""

from functools import lru_cache
from math import pi

import torch
from torch import Tensor

Spectrum = tuple[Tensor, Tensor]
"""Real and imaginary parts, (frequency, row, column)."""


def spectrum(signals: Tensor, length: int) -> Spectrum:
    """Return the spectrum of signals (row, column, time) that 0s follow up to `length`."""
    return transformed(signals, waves(length, signals.shape[2], signals.dtype))


def transformed(signals: Tensor, by: Tensor) -> Spectrum:
    """Return signals (row, column, time) times a matrix (2 · frequency, time)."""
    rows, columns, time = signals.shape
    flat = by @ signals.reshape(rows * columns, time).T
    real, imaginary = flat.view(2, -1, rows, columns)
    return real, imaginary


def signal(parts: Spectrum, by: Tensor) -> Tensor:
    """Return the signals (row, column, time) that a spectrum times a matrix of that shape is."""
    frequencies, rows, columns = parts[0].shape
    flat = torch.cat([part.view(frequencies, rows * columns) for part in parts])
    return (flat.T @ by).view(rows, columns, -1)


def product(left: Spectrum, right: Spectrum) -> Spectrum:
    """Multiply complex matrices, a pair for each frequency, by three real products (Gauss)."""
    (a, b), (c, d) = left, right
    shared = torch.bmm(a + b, c)
    return torch.baddbmm(shared, b, c + d, alpha=-1), torch.baddbmm(shared, a, d - c)


def adjoint(parts: Spectrum) -> Spectrum:
    """Return the conjugate transpose of each frequency's matrix."""
    real, imaginary = parts
    return real.mT, -imaginary.mT


# What is kept must serve training, whoever asked first: a tensor made in inference mode cannot.
@lru_cache(maxsize=64)
@torch.inference_mode(False)
def waves(length: int, time: int, dtype: torch.dtype) -> Tensor:
    """The transform of signals of `length`, of which the first `time` samples are not 0."""
    frequencies = torch.arange(length // 2 + 1, dtype=torch.float64)
    angles = 2 * pi / length * frequencies[:, None] * torch.arange(time, dtype=torch.float64)
    return torch.cat([angles.cos(), -angles.sin()]).to(dtype)


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def inverse(length: int, wanted: int, dtype: torch.dtype) -> Tensor:
    """Its inverse; all frequencies but the first, and the highest of an even length, are two."""
    weights = torch.full((length // 2 + 1,), 2.0, dtype=torch.float64)
    weights[0] = 1.0
    if length % 2 == 0:
        weights[-1] = 1.0
    return (waves(length, wanted, torch.float64) * weights.repeat(2)[:, None] / length).to(dtype)
