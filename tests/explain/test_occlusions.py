"""What is taken out is what was asked for, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from sleepsweep.explain.occlusions import FADE_S, BandOcclusion, bands_of, windows_of

SFREQ = 100.0


def noise(samples: int = 3000, batch: int = 3) -> Tensor:
    draw = Generator().manual_seed(0)
    return torch.randn(batch, 2, samples, generator=draw, dtype=torch.float64) + 0.7


def draws() -> Generator:
    return Generator().manual_seed(1)


@pytest.mark.parametrize(("sfreq", "samples"), [(100.0, 3000), (100.0, 2999), (64.0, 1920)])
def test_the_bands_together_are_the_whole_signal(sfreq: float, samples: int) -> None:
    epochs = noise(samples)
    bands = bands_of(sfreq)
    removed = [epochs - band(epochs, draws()) for band in bands]
    torch.testing.assert_close(torch.stack(removed).sum(dim=0), epochs, rtol=0, atol=1e-10)
    assert [band.name for band in bands] == [
        "drift", "delta", "theta", "alpha", "sigma", "beta", "gamma"
    ]  # fmt: skip


def test_a_slow_recording_has_the_bands_that_it_can_have() -> None:
    assert [band.name for band in bands_of(50.0)][-1] == "beta"
    assert bands_of(50.0)[-1].high_hz == pytest.approx(25.0)
    epochs = noise(1500)
    removed = sum(epochs - band(epochs, draws()) for band in bands_of(50.0))
    torch.testing.assert_close(removed, epochs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("hz", [0.4, 1.0, 6.0, 10.0, 13.0, 20.0, 45.0])
def test_a_wave_is_removed_by_its_own_band_and_kept_by_the_others_in_phase(hz: float) -> None:
    seconds = torch.arange(3000, dtype=torch.float64) / SFREQ
    wave = torch.sin(2 * torch.pi * hz * seconds + 0.3).expand(1, 1, -1)
    for band in bands_of(SFREQ):
        kept = band(wave, draws())
        expected = 0 * wave if band.low_hz <= hz < band.high_hz else wave
        torch.testing.assert_close(kept, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("fill", ["zero", "surrogate"])
def test_a_window_changes_nothing_outside_it(fill: str) -> None:
    epochs = noise()
    before = epochs.clone()
    window = windows_of(30.0, 2.0, SFREQ, fill)[3]  # type: ignore[arg-type]
    assert window.name == "6–8 s"
    changed = window(epochs, draws())
    assert torch.equal(epochs, before)
    assert torch.equal(changed[..., :600], epochs[..., :600])
    assert torch.equal(changed[..., 800:], epochs[..., 800:])
    fade = round(FADE_S * SFREQ)
    inside = changed[..., 600 + fade : 800 - fade]
    if fill == "zero":
        assert inside.abs().max() == 0
    else:
        assert (inside - epochs[..., 600 + fade : 800 - fade]).abs().mean() > 0.5


def test_zero_adds_no_click() -> None:
    """Of a slow wave, what is left is slow: a step would have power at all frequencies."""
    seconds = torch.arange(3000, dtype=torch.float64) / SFREQ
    wave = torch.cos(2 * torch.pi * 1.0 * seconds).expand(1, 1, -1)
    window = windows_of(30.0, 2.0, SFREQ, "zero")[5]
    stepped = wave.clone()
    stepped[..., 1000:1200] = 0
    both = (window(wave, draws()), stepped)
    fast = [(torch.fft.rfft(each)[..., 900:].abs() ** 2).sum() for each in both]
    assert fast[0] < fast[1] / 20


def test_a_surrogate_keeps_the_power_of_the_window_on_average() -> None:
    epochs = noise(batch=200) - 0.7
    window = windows_of(30.0, 2.0, SFREQ, "surrogate")[7]
    changed = window(epochs, draws())
    spans = slice(1400, 1600)
    power = [float(each[..., spans].square().mean()) for each in (changed, epochs)]
    assert power[0] == pytest.approx(power[1], rel=0.03)
    again = window(epochs, draws())
    assert torch.equal(changed, again)


def test_windows_cover_an_epoch_once() -> None:
    cases = ((30.0, 2.0, 15), (30.0, 1.5, 20), (30.0, 4.0, 8), (0.3, 0.1, 3))
    for epoch_s, window_s, count in cases:
        windows = windows_of(epoch_s, window_s, SFREQ, "zero")
        assert len(windows) == count
        assert windows[0].start_s == 0
        assert windows[-1].end_s == epoch_s
        for one, other in pairwise(windows):
            assert one.end_s == other.start_s


def test_an_event_in_one_window_is_found_there() -> None:
    """A network that counts large waves loses its event where it is, by either fill."""
    epochs = 0.1 * noise(batch=20)
    epochs[..., 1250:1300] += 5
    event = lambda x: x.clamp(min=2).sum(dim=(1, 2))  # noqa: E731
    for fill in ("zero", "surrogate"):
        losses = [
            float((event(epochs) - event(window(epochs, draws()))).mean())
            for window in windows_of(30.0, 2.0, SFREQ, fill)  # type: ignore[arg-type]
        ]
        assert int(np.argmax(losses)) == 6


def test_a_silent_epoch_stays_silent() -> None:
    silent = torch.zeros(2, 1, 3000)
    for occlusion in (*bands_of(SFREQ), *windows_of(30.0, 2.0, SFREQ, "surrogate")):
        assert occlusion(silent, draws()).abs().max() == 0
    assert isinstance(bands_of(SFREQ)[0], BandOcclusion)
