"""Traces and spectra small enough that one page holds hundreds of them."""

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import welch

MOST_POINTS = 3000
"""Samples of a trace on the page; of a longer one the extremes are kept."""

WINDOW_S = 4.0
"""Windows of the spectra: a resolution of 1/4 Hz."""

QUIETEST_DB = -60.0
"""Below this, in dB of 1 µV²/Hz, a spectrum is drawn as silent."""


def packed(values: ArrayLike) -> dict[str, Any]:
    """Return numbers as 16-bit integers in base64, and the step that they count."""
    numbers = np.asarray(values, dtype=np.float64)
    step = float(np.abs(numbers).max()) / 32767 or 1.0
    whole = np.round(numbers / step).astype("<i2")
    return {"step": step, "data": base64.b64encode(whole.tobytes()).decode("ascii")}


def thinned(trace: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a trace (time,) of at most `MOST_POINTS`: the least and the largest of each part."""
    if len(trace) <= MOST_POINTS:
        return trace
    parts = np.array_split(trace, MOST_POINTS // 2)
    return np.array([extreme for part in parts for extreme in (part.min(), part.max())])


def spectrum(trace: NDArray[np.float32], sfreq: float) -> NDArray[np.float64]:
    """Return the power spectral density of a trace in µV (time,), by Welch, in dB of 1 µV²/Hz."""
    window = min(len(trace), round(WINDOW_S * sfreq))
    # An offset stays: an augmentation that adds one is seen at 0 Hz.
    _, power = welch(trace.astype(np.float64), sfreq, nperseg=window, detrend=False)
    quietest: float = 10 ** (QUIETEST_DB / 10)
    return np.asarray(10 * np.log10(np.maximum(power, quietest)))
