"""Stage ``finetune``: training with labels, from the encoder that there is."""

import numpy as np

from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.scorefiles import write_scores
from sleepsweep.experiment.setting import Setting, staged
from sleepsweep.experiment.stages.base import FINETUNED, Found, Tell, encoder_of, write_course
from sleepsweep.learn.finetune import Check, Labelled, build_staging, fine_tune
from sleepsweep.learn.pretrain import Axes
from sleepsweep.learn.rows import spread_evenly
from sleepsweep.model import Model
from sleepsweep.seeds import stream

CHECKED = 5000
"""Epochs at most of the validation subjects that a check stages, spread evenly over them."""


def finetune(setting: Setting, folder: ExperimentFolder, tell: Tell) -> Found:
    """Train classifier and encoder on the labelled training subjects, and keep the network."""
    spec, store = setting.spec.finetune, setting.store
    block: Axes = {"split": setting.trial.split, "seed": setting.trial.seed}
    encoder = encoder_of(setting, folder)
    width = setting.spec.encoder.latent_dim
    weights = stream("classifier", **block)
    network = build_staging(encoder, width, spec, weights).to(setting.device)

    def on_check(check: Check) -> None:
        tell("finetune", check.step, {"loss": check.loss, "macro_f1": check.macro_f1})

    checked = spread_evenly(setting.validation, CHECKED)
    checks = fine_tune(
        network, spec, setting.labelled(spec.label_fraction), block,
        validation=Labelled(store.gather, store.stages, checked), on_check=on_check,
    )  # fmt: skip
    write_course(checks, folder.path / "finetuning.csv")
    Model(setting.about(spec.classifier), network).save(folder.path / FINETUNED)
    found = staged(store, setting.validation, lambda store, rows: network.stage(store.gather, rows))
    title = f"{setting.spec.name}: fine-tuned, validation subjects"
    write_scores(found, folder.path / "finetune", title)
    ended = "complete" if checks[-1].step == spec.steps else "no_improvement"
    if not np.isfinite(checks[-1].loss):
        ended = "diverged"
    return {"ended": ended, "steps": checks[-1].step, **found.key_values()}
