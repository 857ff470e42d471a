"""How an experiment shows in the terminal: a line a check, and the scores at the end."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Console, Group
from rich.text import Text

from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.spec import Stage
from sleepsweep.experiment.stages import Found
from sleepsweep.scores import OF_SUBJECTS
from sleepsweep.terminal.tables import section, table

NAMES = {
    "accuracy": "accuracy", "macro_f1": "macro-F1, pooled", OF_SUBJECTS: "macro-F1, subjects’ mean",
    "kappa": "κ",
}  # fmt: skip
DOING: dict[Stage, str] = {
    "pretrain": "Pretraining", "latent": "Latent space", "probe": "Probe",
    "finetune": "Fine-tuning", "test": "Test",
}  # fmt: skip


def opening(setting: Setting) -> Iterator[Text]:
    """What is about to be run, and on whom."""
    spec, trial = setting.spec, setting.trial
    where = spec.data.root or spec.data.source
    named = "simulated nights" if spec.data.kind == "simulated" else where
    yield Text(
        f"Recordings: {named}; subjects: {len(trial.train)} to train, {len(trial.validation)} to "
        f"validate, {len(setting.test)} set aside to test"
    )
    steps: dict[Stage, int] = {"pretrain": spec.pretrain.steps, "finetune": spec.finetune.steps}
    told = [f"{one} ({steps[one]:,} steps)" if one in steps else one for one in spec.ordered]
    yield Text(f"Stages: {', '.join(told)}")
    if spec.devices > 1 and "pretrain" in spec.stages:
        kind = "GPUs" if setting.device.type == "cuda" else "processes of the CPU"
        yield Text(f"Pretraining is shared by {spec.devices} {kind}")


class StageLines:
    """A listener that prints a line when a stage begins, and one for each of its checks."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def stage_started(self, stage: Stage) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        self._console.print(Text(DOING[stage], style="bold"))

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        told = ", ".join(f"{_said(key)} {_number(key, value)}" for key, value in values.items())
        self._console.print(f"  step {step:,}: {told}")

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        if found.get("ended") not in (None, "complete"):
            self._console.print(f"  ended: {_said(str(found['ended']))}")
        if "kept_step" in found and found["kept_step"] != found["steps"]:
            self._console.print(f"  kept: the network of step {found['kept_step']:,}")


class StageJson:
    """A listener that prints lines of JSON, for scripts; each names the experiment."""

    def __init__(self, name: str) -> None:
        self._name = name

    def stage_started(self, stage: Stage) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        self._print({"event": "stage", "stage": stage})

    def stage_told(self, stage: Stage, step: int, values: Mapping[str, float]) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        self._print({"event": "check", "stage": stage, "step": step, **values})

    def stage_ended(self, stage: Stage, found: Found) -> None:
        """See `sleepsweep.experiment.run.Listener`."""
        self._print({"event": "done", "stage": stage, **found})

    def _print(self, event: Mapping[str, Any]) -> None:
        # JSON has neither NaN nor infinity.
        told = {key: value if _is_json(value) else None for key, value in event.items()}
        print(json.dumps({"experiment": self._name, **told}), flush=True)


def scores_table(heading: str, overall: pd.DataFrame) -> Group:
    """Pooled scores in points with their intervals over subjects (see `Staged.overall`)."""
    made = table("points", "95 % interval", first="")
    points = 100 * overall.set_index("measure")[["value", "low", "high"]]
    for measure, (value, low, high) in zip(points.index, points.to_numpy(), strict=True):
        interval = f"{low:.1f} to {high:.1f}" if low == low else "none: one subject"
        made.add_row(NAMES[measure], f"{value:.1f}", interval)
    return section(heading, made)


def _is_json(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _said(key: str) -> str:
    return key.replace("epochs_per_s", "epochs a second").replace("_", " ").replace(" f1", "-F1")


def _number(key: str, value: float) -> str:
    return f"{value:.0f}" if key == "epochs_per_s" else f"{value:.3f}"
