"""The command that runs experiments: train."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sleepsweep.cli.app import app, console_for, interruptible
from sleepsweep.cli.options import Data, Json, Preset, Quiet, Settings, TrackingUri
from sleepsweep.errors import UserError
from sleepsweep.exitstatus import BAD_INPUT, COMPLETE, INCOMPLETE, TRIALS_FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from sleepsweep.experiment.configfile import ConfigFile
    from sleepsweep.experiment.folder import ExperimentFolder
    from sleepsweep.experiment.run import Listener
    from sleepsweep.experiment.setting import Setting
    from sleepsweep.tracking.experiment import ExperimentTracker

Config = Annotated[
    Path,
    typer.Argument(metavar="CONFIG", help="An experiment: YAML, published JSON, or a folder."),
]
StageName = Literal["pretrain", "latent", "probe", "finetune", "test"]


@app.command()
def train(
    config: Config,
    stage: Annotated[StageName | None, typer.Option(help="Run this one alone, or again.")] = None,
    data: Data = None, settings: Settings = None, preset: Preset = None,
    seed: Annotated[int | None, typer.Option(help="The experiment's seed.")] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help="GPUs of this machine that share pretraining.")
    ] = None,
    tracking_uri: TrackingUri = None,
    out: Annotated[Path | None, typer.Option(help="Its folder; default: runs/NAME.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what is there.")] = False,
    quiet: Quiet = False, json: Json = False,
) -> None:  # fmt: skip
    """Run an experiment from pretraining to the test, or what is left of it.

    Of a folder, every config in it.
    """
    from sleepsweep.experiment.configfile import read_configs
    from sleepsweep.spec.specfile import read_settings
    from sleepsweep.terminal.summary import note
    from sleepsweep.tracking import check_server

    given = {"seed": seed, "devices": devices, "tracking.uri": tracking_uri}
    overrides = {k: v for k, v in given.items() if v is not None} | read_settings(settings or [])
    configs = read_configs(config, preset=preset, overrides=overrides, data=data, out=out)
    for uri in {one.spec.tracking.uri for one in configs}:
        check_server(uri)
    console = console_for(quiet=quiet or json)
    for sentence in dict.fromkeys(sentence for one in configs for sentence in one.notes):
        console.print(note(sentence))
    statuses = [
        _train_one(one, stage, console, fresh=fresh, json=json, several=len(configs) > 1)
        for one in configs
    ]
    raise typer.Exit(next((status for status in statuses if status), COMPLETE))


def _train_one(
    config: "ConfigFile", stage: StageName | None, console: "Console", *, fresh: bool, json: bool,
    several: bool,
) -> int:  # fmt: skip
    """Run one experiment; of several, a user's mistake in one ends that one alone."""
    from rich.text import Text

    from sleepsweep.experiment.devices import DeviceLostError
    from sleepsweep.folder.studyfolder import command
    from sleepsweep.progress import progress_bar
    from sleepsweep.terminal.experiment import opening

    console.print(Text(f"{config.spec.name}  ({config.path})", style="bold"))
    try:
        out = config.out.resolve()
        with interruptible(out, command), progress_bar(console, "Preparing") as report:
            setting = config.setting(report)
        for line in opening(setting):
            console.print(line)
        return _run(setting, out, stage, console, fresh=fresh, json=json)
    except DeviceLostError as error:
        print(
            f"sleepsweep: {config.path}: {error}; the others were ended. {config.out} holds what "
            "was done at the last check, and the same command goes on.", file=sys.stderr,
        )  # fmt: skip
        return INCOMPLETE
    except UserError as error:
        if not several:
            raise
        print(f"sleepsweep: {config.path}: {error}", file=sys.stderr)
        return BAD_INPUT


def _run(
    setting: "Setting", out: Path, stage: StageName | None, console: "Console", *, fresh: bool,
    json: bool,
) -> int:  # fmt: skip
    from json import dumps

    from sleepsweep.experiment.folder import ExperimentFolder
    from sleepsweep.experiment.run import check_stage, run_experiment
    from sleepsweep.folder.studyfolder import command
    from sleepsweep.tracking.experiment import ExperimentTracker

    folder = ExperimentFolder(out)
    # A mistake is told before anything is deleted or written.
    folder.check_own()
    check_stage(setting, stage, fresh=fresh)
    _ = setting.devices
    with folder.locked(), interruptible(out, command):
        folder.begin(setting.spec, setting.facts(), fresh=fresh)
        tracker = ExperimentTracker(folder, setting.spec.tracking.uri)
        sound = False
        try:
            listeners = _listeners(setting, folder, tracker, console, json=json)
            sound = run_experiment(setting, folder, listeners, stage)
        except KeyboardInterrupt:
            print("sleepsweep: stopping, once MLflow has what was found", file=sys.stderr)
            raise
        finally:
            unsent = tracker.close(complete=sound)
    status = COMPLETE if sound else TRIALS_FAILED
    if json:
        end = {"event": "end", "experiment": setting.spec.name, "status": status, "out": str(out)}
        print(dumps({**end, "done": list(folder.done)}), flush=True)
    _print_end(folder, setting.spec.tracking.uri, console)
    for line in ([unsent] if unsent else []) + ([] if sound else [DIVERGED]):
        print(f"sleepsweep: {line}", file=sys.stderr)
    return status


DIVERGED = (
    "pretraining diverged: its loss is no number any more, and the stages after it were not run. "
    "Lower pretrain.learning_rate, or give pretrain.warmup_steps or clip_norm."
)


def _listeners(
    setting: "Setting", folder: "ExperimentFolder", tracker: "ExperimentTracker",
    console: "Console", *, json: bool,
) -> "list[Listener]":  # fmt: skip
    from sleepsweep.terminal.experiment import StageJson, StageLines
    from sleepsweep.tracking.eventfiles import ExperimentEvents

    events = [ExperimentEvents(folder.path)] if setting.spec.tracking.tensorboard else []
    return [StageJson(setting.spec.name) if json else StageLines(console), tracker, *events]


def _print_end(folder: "ExperimentFolder", uri: str | None, console: "Console") -> None:
    import pandas as pd

    from sleepsweep.experiment.page import PAGE, SCORED
    from sleepsweep.terminal.experiment import scores_table
    from sleepsweep.terminal.summary import pointer

    for place, name in SCORED.items():
        # What a stage that is not done any more had written is gone.
        if (path := folder.path / place / "overall.csv").exists():
            console.print(scores_table(name, pd.read_csv(path)))
    console.print(pointer("\nPage", str(folder.path / PAGE)))
    console.print(pointer("MLflow", uri or f"sleepsweep ui {folder.path}"))
