"""The notch filter of a batch of epochs, each with its own centre, by one product of spectra."""

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor


def notch(x: Tensor, centre_hz: Tensor, width_hz: float, sfreq: float) -> Tensor:
    """Filter x (batch, channel, time) by the notch of each epoch, causally and from rest.

    `centre_hz` is (batch, 1), float64. The result is x − (the band): a vanishing width then
    returns x to the last digit, where filtering by the notch itself would not.
    """
    length = x.shape[-1]
    padded = next_fast_len(2 * length + 2, real=True)
    # A notch of 1e-9 Hz changes nothing, and keeps the response away from 0 / 0.
    breadth = math.tan(math.pi * max(width_hz, 1e-9) / sfreq)
    cos_centre = torch.cos(centre_hz * (2 * math.pi / sfreq))
    angle = torch.arange(padded // 2 + 1, device=x.device, dtype=torch.float64)
    angle = angle * (2 * math.pi / padded)
    response = _band(cos_centre, breadth, angle, x.dtype)
    response *= _ended(cos_centre, breadth, angle, length, x.dtype)
    band: Tensor = torch.fft.irfft(torch.fft.rfft(x, n=padded) * response.unsqueeze(1), n=padded)
    return x - band[..., :length]


def _band(cos_centre: Tensor, breadth: float, angle: Tensor, dtype: torch.dtype) -> Tensor:
    """Response (batch, bins) of 1 − H at the angular frequencies w = `angle`, in rad/sample.

    With b = `breadth` = tan(π·width/sfreq) and w₀ the centre, ``scipy.signal.iirnotch`` is
    H = (cos w − cos w₀) / (cos w − cos w₀ + j·b·sin w).
    """
    off_centre = torch.cos(angle) - cos_centre
    in_band = breadth * torch.sin(angle)
    scale = in_band / torch.addcmul(in_band.square(), off_centre, off_centre)
    return torch.complex((in_band * scale).to(dtype), (off_centre * scale).to(dtype))


def _ended(
    cos_centre: Tensor, breadth: float, angle: Tensor, length: int, dtype: torch.dtype
) -> Tensor:
    """Factor (batch, bins) that ends the impulse response after `length` samples.

    It never ends by itself, and would wrap around the grid of bins. Its recursive part obeys
    f[n] + a₁·f[n−1] + a₂·f[n−2] = δ[n]; stopped, 1 − f[L]·z^L + a₂·f[L−1]·z^(L+1) is left of the 1.
    """
    a1, a2 = -2 / (1 + breadth) * cos_centre[:, 0], (1 - breadth) / (1 + breadth)
    step = torch.zeros(len(a1), 2, 2, dtype=a1.dtype, device=a1.device)
    step[:, 0, 0], step[:, 0, 1], step[:, 1, 0] = -a1, -a2, 1.0
    # The power by squaring is accurate for real, complex and double poles alike.
    state: Tensor = torch.linalg.matrix_power(step, length)[:, :, 0].to(dtype)
    one = torch.ones_like(angle)
    delay = torch.polar(one, -angle * length).to(state.dtype.to_complex())
    after = torch.polar(a2 * one, -angle * (length + 1)).to(delay.dtype)
    return 1 - state[:, :1] * delay + state[:, 1:] * after
