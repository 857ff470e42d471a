"""What does pretraining give, with all labels and with few?

``python -m benchmarks.labels`` trains on simulated subjects in paired blocks: the encoder untrained
and pretrained, each read by a linear probe; the pretrained one fine-tuned; and the same network
trained with labels from scratch. All with the labels of all training subjects, and of a tenth of
them. It prints, as Markdown, the macro-F1 on validation subjects and the differences, with 95 %
intervals (Student's t over the blocks). It takes about an hour on two cores.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from itertools import product

import numpy as np
import torch
from scipy import stats
from torch import nn

from sleepsweep.experiment.setting import Setting, make_setting, staged
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.experiment.stages.probe import fitted_probe, predicting
from sleepsweep.learn.finetune import build_staging, fine_tune
from sleepsweep.learn.pretrain import Axes
from sleepsweep.metrics import macro_f1
from sleepsweep.probedrun import ProbedRun
from sleepsweep.seeds import stream

SUBJECTS, BLOCKS, BATCH = 20, 5, 128
PRETRAINING_STEPS, LABELLED_STEPS = 400, 400
FRACTIONS = {1.0: "all labels", 0.1: "a tenth"}
# One augmentation of each category, at the published strength, as often as in the published best
# run. Chosen before anything was run, and not tuned.
POLICY = [
    {name: {"severity": 0.5, "p": 0.6}}
    for name in (
        "RandomAmplitudeScaling", "TailoredMixup", "RandomZeroMasking",
        "RandomAdditiveGaussianNoise", "TimeWarping",
    )
]  # fmt: skip
ARMS = ("untrained", "probe", "fine-tuned", "from scratch")
COMPARED = (
    ("probe", "untrained"), ("fine-tuned", "probe"), ("fine-tuned", "from scratch")
)  # fmt: skip
Scores = Mapping[str, float]


def setting_of(block: int, fraction: float) -> Setting:
    """Return the experiment of a block with the labels of a fraction of its training subjects."""
    tree = {
        "name": "labels",
        "data": {"simulated": {"subjects": SUBJECTS}},
        "split": {"blocks": BLOCKS},
        "block": block,
        "policy": POLICY,
        "pretrain": {"batch_size": BATCH, "steps": PRETRAINING_STEPS},
        "probe": {"label_fraction": fraction},
        "finetune": {"steps": LABELLED_STEPS, "batch_size": BATCH, "label_fraction": fraction},
        "device": "cpu",
    }
    return make_setting(ExperimentSpec.model_validate(tree))


def run_block(block: int) -> dict[str, float]:
    """Return the macro-F1 of each arm and fraction on the validation subjects of a block."""
    torch.set_num_threads(1)
    whole = setting_of(block, 1.0)
    run = ProbedRun(whole.trial, whole.store)
    run.train(PRETRAINING_STEPS)
    scores = {}
    for fraction in FRACTIONS:
        setting = setting_of(block, fraction)
        for arm in ARMS:
            pretrained = arm in ("probe", "fine-tuned")
            encoder = deepcopy(run.pretraining.encoder) if pretrained else setting.first_encoder()
            read = _probed if arm in ("untrained", "probe") else _trained
            scores[key(arm, fraction)] = read(setting, encoder)
    return scores


def key(arm: str, fraction: float) -> str:
    """The name of an arm with the labels of a fraction of the subjects."""
    return f"{arm}, {FRACTIONS[fraction]}"


def _probed(setting: Setting, encoder: nn.Module) -> float:
    predict = predicting(encoder, fitted_probe(setting, encoder))
    return macro_f1(staged(setting.store, setting.validation, predict).pooled)


def _trained(setting: Setting, encoder: nn.Module) -> float:
    spec, trial, store = setting.spec.finetune, setting.trial, setting.store
    seed = stream("classifier", split=trial.split, seed=trial.seed)
    network = build_staging(encoder, setting.spec.encoder.latent_dim, spec, seed)
    axes: Axes = {"split": trial.split, "seed": trial.seed}
    fine_tune(network, spec, setting.labelled(spec.label_fraction), axes)
    held_out = setting.validation
    found = staged(store, held_out, lambda store, rows: network.stage(store.gather, rows))
    return macro_f1(found.pooled)


def mean_of(values: Iterable[float]) -> tuple[float, float, float]:
    """Return the mean over blocks and its 95 % interval."""
    drawn = np.array(list(values))
    half = stats.t.ppf(0.975, len(drawn) - 1) * drawn.std(ddof=1) / np.sqrt(len(drawn))
    return float(drawn.mean()), float(drawn.mean() - half), float(drawn.mean() + half)


def difference(scores: Sequence[Scores], one: str, other: str) -> tuple[float, float, float]:
    """Return the mean over blocks of `one` − `other`, and its 95 % interval."""
    return mean_of(block[one] - block[other] for block in scores)


def report(scores: Sequence[Scores]) -> str:
    """Return the Markdown of the arms' means, of all blocks, and of the differences."""
    lines = [f"| | {' | '.join(FRACTIONS.values())} |", "| --- | --- | --- |"]
    for arm in ARMS:
        means = (mean_of(block[key(arm, each)] for block in scores) for each in FRACTIONS)
        lines.append(f"| {arm} | {' | '.join(_told(*mean) for mean in means)} |")
    for one, other in COMPARED:
        gains = (difference(scores, key(one, each), key(other, each)) for each in FRACTIONS)
        lines.append(f"| {one} − {other} | {' | '.join(_told(*gain, '+') for gain in gains)} |")
    keys = [key(arm, fraction) for fraction, arm in product(FRACTIONS, ARMS)]
    lines += ["", f"| block | {' | '.join(keys)} |", "| --- " * (len(keys) + 1) + "|"]
    for block, score in enumerate(scores):
        lines.append(f"| {block} | " + " | ".join(f"{score[name]:.3f}" for name in keys) + " |")
    return "\n".join(lines)


def _told(mean: float, low: float, high: float, sign: str = "") -> str:
    return f"{mean:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def main() -> None:
    """Run every block and print the report and a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (default: 2)")
    processes = parser.parse_args().processes
    setting_of(0, 1.0)
    with ProcessPoolExecutor(processes) as pool:
        scores = list(pool.map(run_block, range(BLOCKS)))
    print(report(scores))
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
