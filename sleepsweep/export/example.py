"""Stage a night with the network in this folder: needs numpy and onnxruntime, and nothing else.

    python example.py NIGHT.npy     the night's signal, (channel, time), at the network's frequency
    python example.py               noise, to see that it runs

For research; not a medical device. README.md says what the network is and what it is worth.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

HERE = Path(__file__).parent


def load(path: Path = HERE / "model.onnx") -> tuple[Any, dict[str, Any]]:
    """Return the network, and what it takes: derivations, sfreq, epoch_s, normalize, stages."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    return session, {key: json.loads(value) for key, value in told.items()}


def epochs_of(signal: Any, about: dict[str, Any]) -> Any:
    """Cut a night (channel, time) into epochs (epoch, channel, time), normalised as in training.

    Centre and scale are of the whole night, a channel at a time. README.md says how much wake a
    night has around sleep in training, where epochs that are flat or cut off are left out as well:
    leave both out here too, as hours with the lights on would change the scale.
    """
    signal = np.atleast_2d(np.asarray(signal, dtype=np.float64))
    wanted = len(about["derivations"])
    if len(signal) != wanted:
        raise SystemExit(f"{len(signal)} channels, but the network takes {about['derivations']}")
    samples = round(about["sfreq"] * about["epoch_s"])
    count = signal.shape[1] // samples
    if not count:
        raise SystemExit(f"{signal.shape[1]} samples, but an epoch has {samples}")
    signal = signal[:, : count * samples]
    if about["normalize"] == "robust":
        centre = np.median(signal, axis=1, keepdims=True)
        scale = 1.4826 * np.median(np.abs(signal - centre), axis=1, keepdims=True)
    elif about["normalize"] == "zscore":
        centre, scale = signal.mean(axis=1, keepdims=True), signal.std(axis=1, keepdims=True)
    else:
        centre, scale = 0.0, 1.0
    epochs = ((signal - centre) / scale).reshape(wanted, count, samples)
    return np.ascontiguousarray(epochs.transpose(1, 0, 2), dtype=np.float32)


def run(session: Any, epochs: Any, batch: int = 256) -> dict[str, Any]:
    """Return the network's outputs by name: embeddings and, if it stages, probabilities."""
    names = [output.name for output in session.get_outputs()]
    parts = [
        session.run(names, {"epochs": epochs[start : start + batch]})
        for start in range(0, len(epochs), batch)
    ]
    return {name: np.concatenate(found) for name, *found in zip(names, *parts, strict=True)}


def main() -> None:
    """Print a stage a line, or the size of the embedding where the network stages nothing."""
    session, about = load()
    samples = round(about["sfreq"] * about["epoch_s"])
    if len(sys.argv) > 1:
        signal = np.load(sys.argv[1], allow_pickle=False)
    else:
        noise = np.random.default_rng(0)
        signal = noise.normal(0.0, 20.0, (len(about["derivations"]), 20 * samples))
    found = run(session, epochs_of(signal, about))
    if "probabilities" not in found:
        print("embeddings", found["embeddings"].shape)
        return
    for epoch, chances in enumerate(found["probabilities"]):
        print(epoch, about["stages"][chances.argmax()], f"{chances.max():.3f}")


if __name__ == "__main__":
    main()
