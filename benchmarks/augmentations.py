"""Augmentations: against the published way of working, against braindecode, and what they cost.

``python -m benchmarks.augmentations`` prints tables and a line of JSON. Everything is measured in
one run with one thread on epochs of white noise (batch, 1, 3000) in float32, at the published
defaults; a time is the median of measurements that take turns, and a peak of memory is that of a
fresh process. The benchmark needs braindecode without what it depends on:
``pip install --no-deps braindecode``.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import platform
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from benchmarks import reference_augmentations as reference
from benchmarks.tables import markdown_table, ms
from benchmarks.timing import Work, medians
from sleepsweep.augment import Augmentation, Member, Policy, augmentation
from sleepsweep.learn.encoders import SimpleSleepNet

SAMPLES, SFREQ = 3000, 100.0
# The published best run: 68.8 macro-F1 (Gupta 2025, section 8.4, equal p that sum to 3).
BEST = ("TailoredMixup", "TimeWarping", "Permutation", "RandomZeroMasking", "CutoutResize")
BEST_P = 0.6
PROBABILITIES = (0.1, 0.5, 1.0)

# What braindecode calls each augmentation that both have, our name, and its own arguments.
SHARED: dict[str, tuple[str, dict[str, float]]] = {
    "SignFlip": ("SignFlip", {}),
    "TimeReverse": ("TimeReversal", {}),
    "GaussianNoise": ("RandomAdditiveGaussianNoise", {}),
    "SmoothTimeMask": ("SmoothTimeMask", {}),
    "BandstopFilter": (
        "RandomBandStopFilter",
        {"sfreq": SFREQ, "bandwidth": 2.0, "max_freq": SFREQ / 2},
    ),
    "FTSurrogate": ("FTSurrogate", {}),
    "FrequencyShift": ("FrequencyShift", {"sfreq": SFREQ}),
}

Figures = dict[str, float]


def noise(epochs: int) -> Tensor:
    """White noise of 30 µV, (batch, 1, time) in float32."""
    return 30 * torch.randn(epochs, 1, SAMPLES, generator=torch.Generator().manual_seed(0))


def ours(apply: Augmentation | Policy, x: Tensor) -> Work:
    """Return a call of an augmentation or a policy on epochs, mixed with their neighbours."""
    generator, partner = torch.Generator().manual_seed(1), x.roll(1, 0)
    return lambda: apply(x, generator, partner)


def policy(p: float) -> Policy:
    """Return the five augmentations of the published best run at a probability."""
    return Policy(tuple(Member(augmentation(name)(), p) for name in BEST))


def against_reference(x: Tensor, repeats: int) -> dict[str, Figures]:
    """Time each of the 13 and its reference, and a copy of the epochs: seconds by name."""
    epochs = x[:, 0].numpy()
    partners = x.roll(1, 0)[:, 0].numpy()

    def theirs(name: str) -> Work:
        return lambda: reference.augmented(name, epochs, partners)

    results: dict[str, Figures] = {}
    for name in reference.REFERENCES:
        works = {"ours": ours(augmentation(name)(), x), "reference": theirs(name), "copy": x.clone}
        results[name] = medians(works, repeats)
    return results


def against_braindecode(x: Tensor, repeats: int) -> dict[str, Figures]:
    """Time each augmentation that braindecode has too, by braindecode's name: seconds."""
    peers = braindecode_augmentation()
    results: dict[str, Figures] = {}
    for name, (own_name, arguments) in SHARED.items():
        transform = getattr(peers, name)(probability=1.0, random_state=0, **arguments)
        works = {"ours": ours(augmentation(own_name)(), x), "braindecode": _bound(transform, x)}
        results[name] = medians(works, repeats)
    return results


def braindecode_augmentation() -> ModuleType:
    """Import ``braindecode.augmentation`` alone, or end with what is missing.

    braindecode's own first module imports all of its networks, and with them torchaudio, which has
    no build for processors alone: in this process an empty package stands in its place.
    """
    found = importlib.util.find_spec("braindecode")
    if found is None or found.submodule_search_locations is None:
        raise SystemExit(
            "The benchmark measures against braindecode, which is not installed here: "
            "run `pip install --no-deps braindecode`."
        )
    package = ModuleType("braindecode")
    package.__path__ = found.submodule_search_locations
    sys.modules["braindecode"] = package
    return importlib.import_module("braindecode.augmentation")


def against_network(x: Tensor, repeats: int) -> Figures:
    """Time two views by the policy of the best run, as published too, and a step on them: seconds.

    The step is forward and backward of SimpleSleepNet on both views, without loss or optimiser.
    Each epoch's partner is one of the batch, drawn as from a store.
    """
    best, generator, encoder = policy(BEST_P), torch.Generator().manual_seed(1), SimpleSleepNet()
    epochs = x[:, 0].numpy()
    probabilities = dict.fromkeys(BEST, BEST_P)

    def partners(count: int, generator: torch.Generator) -> Tensor:
        return x[torch.randint(len(x), (count,), generator=generator)]

    def step() -> None:
        encoder.zero_grad()
        (encoder(x).sum() + encoder(x).sum()).backward()

    works: dict[str, Work] = {
        "policy": lambda: best.views(x, generator, partners),
        "reference": lambda: reference.views(epochs, probabilities, epochs),
        "network": step,
    }
    return medians(works, repeats)


def by_probability(x: Tensor, repeats: int) -> Figures:
    """Time one view by the policy of the best run at several p: seconds by p."""
    works = {str(p): ours(policy(p), x) for p in PROBABILITIES}
    return medians(works, repeats)


def peak_memory(name: str, epochs: int) -> float:
    """Return the highest memory of one call in a fresh process, as a multiple of the batch.

    The result counts, the epochs themselves do not. Of three processes the median: whether a
    freed piece fits what is asked for next is a matter of luck.
    """
    # Forked from one that has loaded everything, and used nothing of it.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "benchmarks.reference_augmentations"])
    one_thread = torch.set_num_threads, (1,)
    with ProcessPoolExecutor(1, context, *one_thread, max_tasks_per_child=1) as pool:
        return statistics.median(pool.map(own_peak, [name] * 3, [epochs] * 3))


def own_peak(name: str, epochs: int) -> float:
    """Return how far one call raises the memory of this process, as a multiple of the batch."""
    x = noise(epochs)
    apply: Augmentation | Policy = policy(1.0) if name == "policy" else augmentation(name)()
    ours(apply, x[:2])()  # loads code and plans transforms
    work = ours(apply, x)
    before = _kibibytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory counts from here
    work()
    return (_kibibytes("VmHWM") - before) * 1024 / x.nbytes


def measure(epochs: int, repeats: int) -> dict[str, Any]:
    """Measure everything."""
    x = noise(epochs)
    # A young process gives memory back and takes it anew with every array, which would be counted
    # against whatever is measured first. One step of a network ends that, as it does in training.
    against_network(x, 1)
    return {
        "reference": against_reference(x, repeats),
        "braindecode": against_braindecode(x, repeats),
        "network": against_network(x, repeats),
        "by_probability": by_probability(x, repeats),
        "peak_memory": {
            name: peak_memory(name, epochs) for name in (*reference.REFERENCES, "policy")
        },
    }


def markdown(results: dict[str, Any], epochs: int) -> str:
    """Return the results as tables."""
    parts = (_reference_table, _braindecode_table, _cost_table)
    return "\n\n".join(part(results, epochs) for part in parts)


def _reference_table(results: dict[str, Any], epochs: int) -> str:
    moved = 2 * epochs * SAMPLES * 4 / 1e9  # GB read and written
    rows = []
    for name, each in results["reference"].items():
        times = each["reference"] / each["ours"]
        copies, memory = each["ours"] / each["copy"], results["peak_memory"][name]
        rows.append([name, ms(each["ours"]), ms(each["reference"]), f"{times:.1f}",
                     f"{moved / each['ours']:.1f}", f"{copies:.1f}", f"{memory:.1f}"])  # fmt: skip
    found = results["reference"].values()
    mean = statistics.geometric_mean(each["reference"] / each["ours"] for each in found)
    copy = statistics.median(each["copy"] for each in found)
    rows.append(["geometric mean", "", "", f"{mean:.1f}", "", "", ""])
    rows.append(["a plain copy", ms(copy), "", "", f"{moved / copy:.1f}", "1", "1"])
    return markdown_table(["augmentation", "ms", "reference, ms", "times faster", "GB/s moved",
                   "copies it lasts", "peak memory, batches"], rows)  # fmt: skip


def _braindecode_table(results: dict[str, Any], epochs: int) -> str:
    found = results["braindecode"]
    ratios = {name: each["braindecode"] / each["ours"] for name, each in found.items()}
    rows = [
        [name, ms(each["ours"]), ms(each["braindecode"]), f"{ratios[name]:.1f}"]
        for name, each in found.items()
    ]
    rows.append(["geometric mean", "", "", f"{statistics.geometric_mean(ratios.values()):.1f}"])
    return markdown_table(["both have", "ms", "braindecode, ms", "times faster"], rows)


def _cost_table(results: dict[str, Any], epochs: int) -> str:
    network, by_p = results["network"], results["by_probability"]
    share, times = network["policy"] / network["network"], network["reference"] / network["policy"]
    rows = [
        [f"two views, five augmentations at p {BEST_P}", f"{ms(network['policy'])} ms"],
        ["the same as published", f"{ms(network['reference'])} ms, {times:.1f} times ours"],
        ["SimpleSleepNet on both views, forward and backward", f"{ms(network['network'])} ms"],
        ["views as a share of the network", f"{share:.1%}"],
        ["peak memory of one view at p 1, batches", f"{results['peak_memory']['policy']:.1f}"],
    ]
    for p, seconds in by_p.items():
        relative = seconds / by_p["1.0"]
        rows.append([f"one view at p {p}", f"{ms(seconds)} ms, {relative:.2f} of p 1"])
    return markdown_table([f"{epochs} epochs", "measured"], rows)


def main() -> None:
    """Measure, and print tables and a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentations", description=__doc__)
    parser.add_argument("--epochs", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = measure(options.epochs, options.repeats)
    print(markdown(results, options.epochs))
    machine = {"python": platform.python_version(), "cpus": os.cpu_count()} | {
        name: version(name) for name in ("torch", "numpy", "scipy", "braindecode")
    }
    print(json.dumps({"machine": machine, **results}))


def _bound(apply: Callable[[Tensor], object], x: Tensor) -> Work:
    return lambda: apply(x)


def _kibibytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    main()
