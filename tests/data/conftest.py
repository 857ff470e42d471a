"""Small recordings and npz folders, made on the spot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sleepsweep.data.recording import Recording

NpzWriter = Callable[..., Path]


@pytest.fixture
def write_npz(tmp_path: Path) -> NpzWriter:
    """Write a valid npz: 6 epochs, 2 s at 50 Hz; given keys replace its own (None: left out)."""

    def write(name: str = "person.npz", **changes: Any) -> Path:
        generator = np.random.default_rng(len(name) + sum(map(ord, name)))
        contents: dict[str, Any] = {
            "x": generator.standard_normal((6, 100)).astype(np.float32),
            "y": np.array([0, 1, 2, 3, 4, 0]),
            "fs": 50.0,
            "ch_label": "Fpz-Cz",
        }
        contents = {k: v for k, v in (contents | changes).items() if v is not None}
        folder = tmp_path / "npz"
        folder.mkdir(exist_ok=True)
        np.savez(folder / name, **contents)
        return folder / name

    return write


@pytest.fixture
def make_recording() -> Callable[..., Recording]:
    def make(epochs: Any, stages: Any = None, positions: Any = None, **more: Any) -> Recording:
        signal = np.asarray(epochs, dtype=np.float32)
        count = len(signal)
        fields: dict[str, Any] = {
            "subject": "a", "night": 1, "sfreq": 100.0, "channels": ("Fpz-Cz",), "unit": "uV",
            "source": "a.npz",
        }  # fmt: skip
        return Recording(
            epochs=signal.reshape(count, 1, -1),
            stages=np.asarray(np.ones(count) if stages is None else stages, dtype=np.int8),
            positions=np.asarray(range(count) if positions is None else positions, dtype=np.int32),
            **(fields | more),
        )

    return make
