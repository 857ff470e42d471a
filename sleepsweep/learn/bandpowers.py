"""Band powers of epochs: what sleep was read from before there were networks."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

# Delta, theta, alpha, sigma and beta in Hz, each without its upper end.
BANDS = ((0.5, 4.0), (4.0, 8.0), (8.0, 12.0), (12.0, 16.0), (16.0, 30.0))
WINDOW_S = 4.0
# Far below any recording: what a silent or a missing band has instead of minus infinity.
LEAST = 1e-12


def log_band_powers(epochs: NDArray[np.float32], sfreq: float) -> NDArray[np.float32]:
    """Return log₁₀ powers (epoch, 5 · channel) of epochs (epoch, channel, time) at `sfreq` Hz.

    Spectra are Welch's (1967) over Hann windows of 4 s that overlap by half, in squared units of
    the epochs; a power is the sum over its band.
    """
    window = min(round(WINDOW_S * sfreq), epochs.shape[-1])
    frequencies, density = welch(epochs, fs=sfreq, nperseg=window, axis=-1)
    width = frequencies[1]
    powers = [
        density[..., (frequencies >= low) & (frequencies < high)].sum(axis=-1) * width
        for low, high in BANDS
    ]
    stacked = np.concatenate(powers, axis=-1)
    return np.asarray(np.log10(np.maximum(stacked, LEAST)), dtype=np.float32)
