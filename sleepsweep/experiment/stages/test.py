"""Stage ``test``: the only one that opens the test subjects, which it writes down first."""

from collections.abc import Iterator

from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.scorefiles import write_scores
from sleepsweep.experiment.setting import Predict, Setting, staged
from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages.base import FINETUNED, Found, Tell, encoder_of, needs
from sleepsweep.experiment.stages.probe import fitted_probe, predicting
from sleepsweep.learn.staging import Staging
from sleepsweep.model import Model

TITLES: dict[Stage, str] = {"probe": "probe", "finetune": "fine-tuned"}


def test(setting: Setting, folder: ExperimentFolder, tell: Tell) -> Found:
    """Score every classifier of this experiment on the test subjects."""
    for stage in TITLES:
        if stage in setting.spec.stages:
            needs(folder, stage)
    folder.log_test_opened()
    exam, found = setting.exam(), Found()
    rows = exam.rows(exam.subjects)
    for stage, predict in _classifiers(setting, folder):
        scored = staged(exam, rows, predict)
        title = f"{setting.spec.name}: {TITLES[stage]}, test subjects"
        write_scores(scored, folder.path / "test" / stage, title)
        found |= {f"{stage}.{name}": value for name, value in scored.key_values().items()}
    return found


def _classifiers(setting: Setting, folder: ExperimentFolder) -> Iterator[tuple[Stage, Predict]]:
    if "probe" in setting.spec.stages:
        encoder = encoder_of(setting, folder)
        # Fitted again, as neighbours are no model that is kept; a fit is repeatable.
        yield "probe", predicting(encoder, fitted_probe(setting, encoder))
    if "finetune" in setting.spec.stages:
        network = Model.load(folder.path / FINETUNED, trust=True).network.to(setting.device)
        assert isinstance(network, Staging)
        yield "finetune", lambda store, rows: network.stage(store.gather, rows)
