"""Pretraining on several devices: as on one, resumed as one, and ended when one is lost."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import torch
import yaml
from pydantic import ValidationError

from sleepsweep.errors import UserError
from sleepsweep.experiment import devices
from sleepsweep.experiment.devices import DeviceLostError, Worker, pretrain_on_devices
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.setting import Setting
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.learn.stopping import Check
from sleepsweep.model import Model

# The package's name for it is that of the function in it.
STAGE = sys.modules["sleepsweep.experiment.stages.pretrain"]
MakeSetting = Callable[..., Setting]


def workers() -> list[psutil.Process]:
    """This process's children that pretrain."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]


@pytest.mark.slow
def test_the_network_is_that_of_one_process_but_for_rounding(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    only = {"stages": ["pretrain"]}
    alone, _ = run(tmp_path / "alone", **only)
    together, heard = run(tmp_path / "together", **only, devices=2)
    tables = [pd.read_csv(f.path / "pretraining.csv") for f in (alone, together)]
    assert tables[0]["step"].tolist() == tables[1]["step"].tolist()
    assert tables[1]["loss"].tolist() == pytest.approx(tables[0]["loss"].tolist(), abs=1e-4)
    assert [step for _, step, _ in heard.told] == [2, 4]
    models = [Model.load(f.path / "encoder.safetensors") for f in (alone, together)]
    for one, two in zip(*(model.network.state_dict().values() for model in models), strict=True):
        # The gradient of a bias before a batch norm is rounding alone, of which Adam makes steps
        # of the learning rate, 1e-3.
        torch.testing.assert_close(two, one, rtol=0, atol=2 * 4e-3)
    # The number of devices is no other experiment: what is done stays done.
    assert together.done["pretrain"]["ended"] == alone.done["pretrain"]["ended"] == "complete"
    again, heard = run(tmp_path / "together", **only)
    assert heard.started == []
    assert again.done == together.done
    assert workers() == []


@pytest.mark.slow
def test_it_goes_on_where_it_was_interrupted(setting: MakeSetting, tmp_path: Path) -> None:
    made, checkpoint = setting(devices=2), tmp_path / "pretraining.pt"
    seen: list[int] = []

    def interrupt(check: Check) -> None:
        seen.append(check.step)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain_on_devices(made, checkpoint, interrupt)
    assert workers() == []
    pretrain_on_devices(made, checkpoint, lambda check: seen.append(check.step))
    # The first process may have come further than it was heard.
    assert seen[0] == 2
    assert seen[1:] in ([4], [])
    assert torch.load(checkpoint, weights_only=True)["ended"] is not None


@pytest.fixture
def endless(setting: MakeSetting) -> Setting:
    """An experiment whose pretraining does not end while a test runs; a check each 40 steps."""
    made = setting(devices=2)
    pretrain = made.spec.pretrain.model_copy(update={"steps": 400, "check_interval": None})
    return replace(made, trial=made.trial.model_copy(update={"pretrain": pretrain}))


@pytest.mark.parametrize("victim", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_one_that_is_killed_ends_all_with_a_message_and_no_hang(
    endless: Setting, tmp_path: Path, victim: int
) -> None:
    checkpoint = tmp_path / "pretraining.pt"

    def kill() -> None:
        while not checkpoint.exists():
            time.sleep(0.05)
        # In the midst of the steps after the first check.
        os.kill(sorted(child.pid for child in workers())[victim], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    message = rf"process {victim + 1} of 2, on cpu, was killed \(signal 9\)"
    with pytest.raises(DeviceLostError, match=message):
        pretrain_on_devices(endless, checkpoint, lambda check: None)
    assert workers() == []
    assert torch.load(checkpoint, weights_only=True)["checks"][0]["step"] == 40


@dataclass
class Pretended:
    """A process that has ended with some status."""

    exitcode: int | None


def pretended(*statuses: int | None) -> tuple[list[Worker], list[Connection]]:
    """Workers without processes, and the ends of the pipes on which they tell."""
    pipes = [multiprocessing.Pipe(duplex=False) for _ in statuses]
    made = [
        Worker(Pretended(status), "cpu", heard)  # type: ignore[arg-type]
        for status, (heard, _) in zip(statuses, pipes, strict=True)
    ]
    return made, [tells for _, tells in pipes]


def test_checks_are_heard_in_order_until_all_have_ended_well() -> None:
    made, (first, second) = pretended(0, 0)
    check = {"loss": 1.0, "validation_loss": 2.0, "samples_per_s": 3.0, "memory_mib": 4.0}
    for step in (1, 2):
        first.send({"check": {"step": step, **check}})
    for tells in (second, first):
        tells.send({"done": True})
        tells.close()
    heard: list[Check] = []
    devices._listen(made, heard.append)
    assert [check.step for check in heard] == [1, 2]


def test_what_goes_wrong_in_one_is_told_with_its_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "LAST_WORDS_S", 0.1)
    made, (_, second) = pretended(None, 1)
    second.send({"failed": "Traceback …\nOutOfMemoryError: 3 GiB"})
    with pytest.raises(
        DeviceLostError, match=r"process 2 of 2, on cpu, failed:\n[\s\S]*OutOfMemory"
    ):
        devices._listen(made, lambda check: None)


def test_who_was_killed_is_blamed_and_not_who_missed_it_first() -> None:
    made, (first, second) = pretended(1, -9)
    first.send({"failed": "RuntimeError: Connection closed by peer"})
    second.close()
    with pytest.raises(DeviceLostError, match=r"process 2 of 2, on cpu, was killed \(signal 9\)$"):
        devices._listen(made, lambda check: None)


def test_a_user_s_mistake_is_told_as_such() -> None:
    made, (first, _) = pretended(0, None)
    first.send({"mistake": "pretraining.pt is of a pretraining with other settings"})
    with pytest.raises(UserError, match="other settings"):
        devices._listen(made, lambda check: None)


def test_more_gpus_than_there_are_are_refused(
    setting: MakeSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = setting(devices=4, device="auto")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="devices is 4, but torch finds 2 GPUs"):
        _ = made.devices
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [str(device) for device in made.devices] == [f"cuda:{place}" for place in range(4)]


def test_a_batch_is_shared_equally_or_not_at_all(tree: Callable[..., Any]) -> None:
    with pytest.raises(ValidationError, match="batch_size is 16, which 3 devices cannot share"):
        ExperimentSpec.model_validate(tree(devices=3))
    with pytest.raises(ValidationError, match="fewer than two epochs"):
        ExperimentSpec.model_validate(tree(devices=16))
    assert "devices" not in ExperimentSpec.model_validate(tree(devices=1)).model_dump()


def test_one_device_needs_no_processes(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STAGE, "pretrain_on_devices", None)
    folder, _ = run(tmp_path / "one", stages=["pretrain"], devices=1)
    assert isinstance(folder, ExperimentFolder)


def test_the_command_ends_with_its_status(
    command_line: Callable[..., Any], tree: Callable[..., Any], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def lost(*_: Any) -> None:
        raise DeviceLostError("process 2 of 2, on cpu, was killed (signal 9)")

    monkeypatch.setattr(STAGE, "pretrain_on_devices", lost)
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(tree(stages=["pretrain"])))
    out = tmp_path / "out"
    ended = command_line("train", tmp_path / "one.yaml", "--out", out, "--devices", 2)
    assert ended.returncode == 3
    assert "process 2 of 2, on cpu, was killed (signal 9); the others were ended" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ExperimentFolder(out).done == {}
