"""The stages of an experiment, one file each: *(setting, folder, tell) → what was found*.

Each writes its files into the experiment's folder and tells of its course on the way.
"""

from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages.base import Found, StageRun, Tell
from sleepsweep.experiment.stages.finetune import finetune
from sleepsweep.experiment.stages.latent import latent
from sleepsweep.experiment.stages.pretrain import pretrain
from sleepsweep.experiment.stages.probe import probe
from sleepsweep.experiment.stages.test import test

RUNS: dict[Stage, StageRun] = {
    "pretrain": pretrain, "latent": latent, "probe": probe, "finetune": finetune, "test": test
}  # fmt: skip

__all__ = ["RUNS", "Found", "StageRun", "Tell"]
