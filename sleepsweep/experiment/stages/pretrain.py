"""Stage ``pretrain``: contrastive pretraining, resumed where it was interrupted."""

from sleepsweep.experiment.devices import pretrain_on_devices
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.stages.base import ENCODER, Found, Tell, write_course
from sleepsweep.learn.stopping import Check, run_course
from sleepsweep.model import Model
from sleepsweep.probedrun import ProbedRun

STATE = "pretraining.pt"


def pretrain(setting: Setting, folder: ExperimentFolder, tell: Tell) -> Found:
    """Pretrain the encoder, and keep it as a model."""

    def on_check(check: Check) -> None:
        values = {"loss": check.loss, "validation_loss": check.validation_loss}
        tell("pretrain", check.step, {**values, "epochs_per_s": check.samples_per_s})

    if len(setting.devices) > 1:
        # They leave a state that has ended, which is told again below.
        pretrain_on_devices(setting, folder.path / STATE, on_check)
    run, store = ProbedRun(setting.trial, setting.store, device=setting.device), setting.store
    outcome = run_course(
        run.pretraining, store.gather, store.rows(setting.trial.train), setting.validation,
        folder.path / STATE, on_check,
    )  # fmt: skip
    write_course(outcome.checks, folder.path / "pretraining.csv")
    Model(setting.about(None), run.pretraining.encoder).save(folder.path / ENCODER)
    last = outcome.checks[-1]
    return {
        "ended": outcome.ended,
        "steps": outcome.steps,
        "kept_step": outcome.best_step,
        "loss": last.loss,
        "validation_loss": last.validation_loss,
        "epochs_per_s": last.samples_per_s,
        "memory_mib": last.memory_mib,
    }
