"""The quality of an epoch against a loop over its seconds."""

import numpy as np
import pytest

from sleepsweep.data.quality import epoch_quality

CENTRE, SPREAD = np.array([3.0, -2.0]), np.array([2.0, 0.5])


def nights(count: int = 6, seconds: int = 30, rate: int = 50) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal((count, 2, seconds * rate))
    return (noise * SPREAD[:, None] + CENTRE[:, None]).astype(np.float32)


def slowly(epochs: np.ndarray, seconds: int) -> list[float]:
    shares = []
    for epoch in epochs:
        good = 0
        for parts in zip(*(np.array_split(channel, seconds) for channel in epoch), strict=True):
            good += all(
                part.max() - part.min() >= 0.001 * sd
                and all(abs(sample - centre) <= 10 * sd for sample in part)
                for part, centre, sd in zip(parts, CENTRE, SPREAD, strict=True)
            )
        shares.append(good / seconds)
    return shares


def test_it_is_the_share_of_clean_seconds() -> None:
    epochs = nights()
    epochs[1, 0, 120] += 30.0  # one second out of range, upwards
    epochs[2, 1, [0, 1499]] -= 7.0  # the first and the last, downwards
    epochs[3, 0, 500:600] = 1.0  # two seconds flat
    epochs[4, :, 700:760] = 0.0  # one whole second flat, another in part
    epochs[5, 1] = -2.0
    found = epoch_quality(epochs, 30.0, CENTRE, SPREAD)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found * 30, [30, 29, 28, 28, 29, 0], atol=1e-5)
    np.testing.assert_allclose(found, slowly(epochs, 30), atol=1e-6)


def test_it_does_not_depend_on_gain_or_offset() -> None:
    epochs = nights()
    epochs[0, 0, 10] += 50.0
    scaled = epoch_quality(epochs * 40 + 7, 30.0, CENTRE * 40 + 7, SPREAD * 40)
    np.testing.assert_array_equal(scaled, epoch_quality(epochs, 30.0, CENTRE, SPREAD))
    assert scaled[0] < 1


@pytest.mark.parametrize(("samples", "epoch_s", "parts"), [(250, 2.5, 2), (30, 0.6, 1), (2, 9, 1)])
def test_epochs_of_other_lengths(samples: int, epoch_s: float, parts: int) -> None:
    epochs = nights(1, 1, samples)
    epochs[0, 0, 0] = 1000.0
    assert epoch_quality(epochs, epoch_s, CENTRE, SPREAD)[0] == pytest.approx(1 - 1 / parts)
