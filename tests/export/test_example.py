"""The example's way from a night's signal to epochs is sleepsweep's."""

from typing import Any

import numpy as np
import pytest

from sleepsweep.data.recording import Normalize, Recording, normalised

pytest.importorskip("onnxruntime")

from sleepsweep.export.example import epochs_of


def about(normalize: str, channels: int = 2) -> dict[str, Any]:
    names = [f"C{place}" for place in range(channels)]
    return {"derivations": names, "sfreq": 100.0, "epoch_s": 30.0, "normalize": normalize}


@pytest.mark.parametrize("normalize", ["robust", "zscore", "none"])
def test_epochs_are_cut_and_normalised_as_in_training(normalize: Normalize) -> None:
    draw = np.random.default_rng(0)
    night = draw.normal([[3.0], [-8.0]], [[20.0], [45.0]], (2, 9 * 3000 + 1234))
    found = epochs_of(night, about(normalize))
    raw = night[:, : 9 * 3000].reshape(2, 9, 3000).transpose(1, 0, 2).astype(np.float32)
    count = len(raw)
    recording = Recording(
        "a", 1, raw, np.zeros(count, np.int8), np.arange(count, dtype=np.int32), 100.0,
        ("C0", "C1"), "uV", "a test",
    )  # fmt: skip
    expected = normalised(recording, normalize)[0].epochs
    assert found.shape == (9, 2, 3000)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(SystemExit, match="3 channels, but the network takes"):
        epochs_of(np.zeros((3, 6000)), about("robust"))
    with pytest.raises(SystemExit, match="100 samples, but an epoch has 3000"):
        epochs_of(np.zeros((2, 100)), about("robust"))
