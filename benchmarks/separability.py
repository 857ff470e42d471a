"""Are simulated nights neither too easy nor too hard for what they are for?

``python -m benchmarks.separability`` trains on simulated subjects in paired blocks and prints, as
Markdown, the macro-F1 on validation subjects of a linear probe on an untrained encoder, of the same
encoder after contrastive pretraining, and of the same encoder trained with labels; and the
differences with 95 % intervals (Student's t over the blocks). It takes about half an hour on two
cores.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from scipy import stats
from torch import nn

from sleepsweep.augment import Policy
from sleepsweep.augment.base import Signal
from sleepsweep.data.preparation import prepare
from sleepsweep.data.simulation.nights import SimulatedSpec
from sleepsweep.data.source import DataSpec
from sleepsweep.data.split import Split, SplitSpec, draw_split, set_aside
from sleepsweep.data.store import Store
from sleepsweep.learn.encoders import Encoder, EncoderSpec
from sleepsweep.learn.finetune import FinetuneSpec, Labelled, build_staging, fine_tune
from sleepsweep.learn.pretrain import Axes, Pretraining, PretrainSpec, Streams
from sleepsweep.learn.probe import ProbeSpec, embed
from sleepsweep.metrics import confusion, macro_f1
from sleepsweep.probedrun import views_of
from sleepsweep.seeds import stream
from sleepsweep.trial import MemberSpec

SUBJECTS, BLOCKS, BATCH = 20, 5, 128
PRETRAINING_STEPS, LABELLED_STEPS = 400, 800
# One augmentation of each category, at the published strength, as often as in the published best
# run. Chosen before anything was run, and not tuned.
POLICY = tuple(
    MemberSpec(name=name, p=0.6, severity=0.5)
    for name in (
        "RandomAmplitudeScaling", "TailoredMixup", "RandomZeroMasking",
        "RandomAdditiveGaussianNoise", "TimeWarping",
    )
)  # fmt: skip
ARMS = ("untrained", "pretrained", "with labels")
SPLIT = SplitSpec(blocks=BLOCKS)


def simulated_store() -> Store:
    """Return the store of the simulated subjects, prepared now or earlier."""
    return prepare(DataSpec(simulated=SimulatedSpec(subjects=SUBJECTS)))


def run_block(block: int) -> dict[str, float]:
    """Return each arm's macro-F1 on the validation subjects of a block."""
    torch.set_num_threads(1)
    store = simulated_store()
    test = set_aside(store.nights, SPLIT)
    split = draw_split(store.nights, test, SPLIT, block)
    store = store.withholding(test)
    encoder = _encoder(block)
    scores = {"untrained": _probed(encoder, store, split)}
    _pretrain(encoder, store, split, block)
    scores["pretrained"] = _probed(encoder, store, split)
    scores["with labels"] = _with_labels(_encoder(block), store, split, block)
    return scores


def _encoder(block: int) -> Encoder:
    return EncoderSpec().build(1, stream("weights", split=block, seed=block))


def _pretrain(encoder: Encoder, store: Store, split: Split, block: int) -> None:
    rows = store.rows(split.train)
    members = tuple(member.build() for member in POLICY)
    policy = Policy(members).in_signal(Signal(store.sfreq, store.uv_per_unit(split.train)))
    spec = PretrainSpec(batch_size=BATCH, steps=PRETRAINING_STEPS)
    axes: Axes = {"split": block, "seed": block}
    views = views_of(policy, "store", store, rows)
    Pretraining(encoder, spec, views, Streams(axes, axes)).run(store.gather, rows, spec.steps)


def _probed(encoder: nn.Module, store: Store, split: Split) -> float:
    train, held_out = store.rows(split.train), store.rows(split.validation)
    features = [embed(encoder, store.gather(rows)) for rows in (train, held_out)]
    probe = ProbeSpec().fit(features[0], store.stages(train), store.subjects_of(train))
    predicted = probe.predict(features[1])
    return macro_f1(confusion(store.stages(held_out), predicted))


def _with_labels(encoder: nn.Module, store: Store, split: Split, block: int) -> float:
    spec = FinetuneSpec(classifier="linear", dropout=0.0, steps=LABELLED_STEPS, batch_size=BATCH)
    network = build_staging(encoder, EncoderSpec().latent_dim, spec, weights_seed=block)
    labelled = Labelled(store.gather, store.stages, store.rows(split.train))
    fine_tune(network, spec, labelled, {"block": block})
    held_out = store.rows(split.validation)
    predicted = network.stage(store.gather, held_out)
    return macro_f1(confusion(store.stages(held_out), predicted))


def difference(scores: list[dict[str, float]], one: str, other: str) -> tuple[float, float, float]:
    """Return the mean over blocks of `one` − `other`, and its 95 % interval."""
    paired = np.array([block[one] - block[other] for block in scores])
    half = stats.t.ppf(0.975, len(paired) - 1) * paired.std(ddof=1) / np.sqrt(len(paired))
    return float(paired.mean()), float(paired.mean() - half), float(paired.mean() + half)


def report(scores: list[dict[str, float]]) -> str:
    """Return the Markdown of all blocks and of the differences between neighbouring arms."""
    lines = [f"| block | {' | '.join(ARMS)} |", "| --- " * (len(ARMS) + 1) + "|"]
    for block, score in enumerate(scores):
        lines.append(f"| {block} | " + " | ".join(f"{score[arm]:.3f}" for arm in ARMS) + " |")
    lines.append("")
    for one, other in ((ARMS[1], ARMS[0]), (ARMS[2], ARMS[1])):
        mean, low, high = difference(scores, one, other)
        lines.append(f"- {one} − {other}: {mean:+.3f} [{low:+.3f}, {high:+.3f}]")
    return "\n".join(lines)


def main() -> None:
    """Run every block and print the report and a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.separability")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (default: 2)")
    processes = parser.parse_args().processes
    simulated_store()
    with ProcessPoolExecutor(processes) as pool:
        scores = list(pool.map(run_block, range(BLOCKS)))
    print(report(scores))
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
