"""Severity: 0 is the identity, ½ the published default, 1 the strongest, and it grows between."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from sleepsweep.augment import Dial, augmentations
from sleepsweep.errors import UserError

WITH_DIAL = [cls for cls in augmentations().values() if cls.dial is not None]

# Field, identity, published default, strongest: the published column is the study's own.
DIALS = {
    "RandomAmplitudeScaling": ("max_gain", 1, 2, 4),
    "RandomDCShift": ("max_shift_uv", 0, 10, 40),
    "RandomBandStopFilter": ("width_hz", 0, 2, 8),
    "TailoredMixup": ("min_lambda", 1, 0.5, 0.2),
    "CutoutResize": ("drop_share", 0, 0.25, 0.5),
    "RandomZeroMasking": ("max_samples", 0, 300, 1500),
    "AverageFiltering": ("max_kernel", 1, 10, 30),
    "RandomAdditiveGaussianNoise": ("max_sigma_uv", 0, 0.2, 20),
    "TimeWarping": ("max_stretch", 1, 2, 4),
    "Permutation": ("n_segments", 1, 4, 16),
    "RandomTimeShift": ("max_samples", 0, 300, 1000),
    "FTSurrogate": ("phase_noise", 0, 0.5, 1),
    "FrequencyShift": ("max_shift_hz", 0, 2, 5),
    "SmoothTimeMask": ("mask_samples", 0, 100, 1000),
    "ChannelsDropout": ("p_drop", 0, 0.2, 0.5),
}


def test_every_dial_is_listed():
    assert {cls.__name__ for cls in WITH_DIAL} == set(DIALS)


@pytest.mark.parametrize("cls", WITH_DIAL)
def test_the_dial_passes_through_its_three_values(cls):
    field, *values = DIALS[cls.__name__]
    assert [getattr(cls.at_severity(s), field) for s in (0, 0.5, 1)] == values
    assert cls.at_severity(0.5) == cls()


@pytest.mark.parametrize("dial", [cls.dial for cls in WITH_DIAL])
@given(s=st.floats(0, 1), t=st.floats(0, 1))
def test_the_dial_is_monotone(dial, s, t):
    weaker, stronger = dial.value(min(s, t)), dial.value(max(s, t))
    way = 1 if dial.strongest > dial.identity else -1
    assert way * weaker <= way * stronger + 1e-12


def test_the_dial_is_its_formula():
    # 0 → 10 → 40 doubles twice, so the value grows with the square of severity.
    assert Dial("", 0, 10, 40).value(0.25) == pytest.approx(2.5)
    assert Dial("", 1, 2, 3).value(0.25) == pytest.approx(1.5)


@pytest.fixture(scope="module")
def nights(seeded) -> tuple[Tensor, Tensor]:
    """Epochs and partners, (128, 2, 3000): falling spectra of 15 µV with a burst somewhere."""

    def make(seed: int) -> Tensor:
        generator = seeded(seed)
        white = torch.randn(128, 2, 3000, generator=generator, dtype=torch.float64)
        fall = torch.fft.rfftfreq(3000, 0.01, dtype=torch.float64).clamp(min=0.3) ** -0.8
        x = torch.fft.irfft(torch.fft.rfft(white) * fall, n=3000)
        time_s = torch.arange(3000, dtype=torch.float64) / 100
        centre_s = 2 + 26 * torch.rand(128, 1, 1, generator=generator, dtype=torch.float64)
        burst = torch.exp(-0.5 * ((time_s - centre_s) / 0.7) ** 2) * torch.sin(82 * time_s)
        return 15 * x / x.std() + 30 * burst

    return make(1), make(2)


def spectrogram(x: Tensor) -> Tensor:
    window = torch.hann_window(200, dtype=x.dtype)
    return torch.fft.rfft(x.unfold(-1, 200, 100) * window).abs()


@pytest.mark.parametrize("cls", WITH_DIAL)
def test_distortion_grows_with_severity(cls, nights, seeded):
    # The distance of docs/augmentations.md. That of the samples would not tell a strong shift of
    # time or frequency from a weak one: half a wave is as far as it goes.
    x, partner = nights
    before, distances = spectrogram(x), []
    for severity in (0, 0.1, 0.25, 0.5, 0.75, 1):
        view = spectrogram(cls.at_severity(severity)(x, seeded(5), partner))
        distances.append(float((view - before).norm() / before.norm()))
    assert distances[0] == 0 < distances[1]
    assert distances == sorted(distances)
    assert distances[-1] > distances[3]


@pytest.mark.parametrize("severity", [-0.1, 1.1, float("nan"), "high", True, None])
def test_severity_outside_zero_to_one_is_the_users_error(severity):
    with pytest.raises(UserError, match=r"Permutation: severity = .*at least 0 and at most 1"):
        augmentations()["Permutation"].at_severity(severity)


@pytest.mark.parametrize("name", ["SignFlip", "TimeReversal", "Placebo"])
def test_without_a_dial_there_is_no_severity(name):
    with pytest.raises(UserError, match=f"{name} has no severity: its dial is p"):
        augmentations()[name].at_severity(0.5)


def test_no_severity_but_zero_is_the_identity() -> None:
    for kind in augmentations().values():
        if kind.dial is not None:
            weakest = getattr(kind.at_severity(1e-3), kind.dial.field)
            assert weakest != kind.dial.identity, kind
