"""Whose epochs are looked at, what is written, and what the command says."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.evaluation import read_model, scored_people
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.explain.page import html, lines
from sleepsweep.explain.run import Explained, Plan, explain_people
from sleepsweep.learn.staging import Staging

Run = Callable[..., subprocess.CompletedProcess[str]]
Nights = Callable[..., Path]
PLAN = Plan(window_s=10.0, epochs_per_subject=20)


@pytest.fixture
def copied(whole: tuple[Any, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0].path, tmp_path / "copied"))


@pytest.fixture(scope="module")
def strangers(write_nights: Nights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nights(tmp_path_factory.mktemp("strangers") / "nights", ["anna1", "bo1", "cy1"])


def test_of_its_own_recordings_only_test_subjects_are_looked_at_and_it_is_written_down(
    copied: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = read_model(copied, classifier=True), ExperimentFolder(copied)
    people = scored_people(file.model.about, store, strangers=False)
    before = len(folder.read_manifest()["test_opened"])
    asked: list[str] = []
    gather = Store.gather

    def watched(self: Store, rows: Any) -> Any:
        asked.extend(self.subjects_of(rows).tolist())
        assert len(folder.read_manifest()["test_opened"]) == before + 1, "opened before it is told"
        return gather(self, rows)

    monkeypatch.setattr(Store, "gather", watched)
    out = tmp_path / "out"
    explain_people(file, store, people, PLAN, out)
    assert set(asked) == set(folder.read_manifest()["subjects"]["test"])
    account = json.loads((out / "explanation.json").read_text())
    assert account["opened_test_subjects"] is True
    assert {path.name for path in out.iterdir()} == {
        "bands.csv", "windows.csv", "whole.csv", "by_subject.csv", "index.html", "explanation.json"
    }  # fmt: skip
    bands = pd.read_csv(out / "bands.csv")
    assert set(bands["stage"]) >= {"all", "W", "N2"}
    assert bands.groupby("stage")["changed"].sum().between(0.999, 1.001).all()
    assert set(pd.read_csv(out / "windows.csv")["without"]) == {"0–10 s", "10–20 s", "20–30 s"}
    page = (out / "index.html").read_text()
    assert "Of one subject there is none" in page
    assert "<script src" not in page


@pytest.fixture
def explained(copied: Path, strangers: Path, tmp_path: Path) -> Explained:
    from sleepsweep.evaluation import prepare_for

    file = read_model(copied, classifier=True)
    others = prepare_for(file.model.about, strangers, None)
    people = scored_people(file.model.about, others, strangers=False)
    return explain_people(file, others, people, PLAN, tmp_path / "out")


def test_intervals_are_over_subjects_and_the_page_has_them(explained: Explained) -> None:
    everyone = explained.bands[explained.bands["stage"] == "all"]
    assert set(everyone["subjects"]) == {3}
    assert everyone["probability_low"].notna().all()
    text = html(explained)
    assert "60 epochs of 3 subjects" in text
    assert "From fewer than five subjects" in text
    assert "Of 7 bands the one that costs most. Picking the largest makes it look larger" in text
    for line in lines(explained):
        assert f">{line.band}" in text
        assert line.loss in text
    content = json.loads(text.split('type="application/json">')[1].split("</script>")[0])
    assert content["bands"]["names"][0] == "drift"
    assert content["bands"]["labels"][-1] == "30–50 Hz"
    values = np.array(content["bands"]["measures"]["probability"][0])
    table = explained.bands.pivot(index="stage", columns="without", values="probability")
    shown = table.loc[content["bands"]["stages"], content["bands"]["names"]].to_numpy()
    assert np.allclose(values, 100 * shown, atol=0.006)


def test_what_gains_by_everything_is_not_said_to_lose(explained: Explained) -> None:
    gains = explained.bands.assign(probability=-0.1, probability_low=-0.2, probability_high=-0.05)
    changed = Explained(
        "x", explained.whole, gains, explained.windows, explained.occlusions, "surrogate"
    )
    assert {line.band for line in lines(changed)} == {"nothing"}


@pytest.mark.parametrize("window", [0.1, 16.0, -1.0])
def test_windows_that_make_no_sense_are_refused_before_anybody_is_looked_at(
    copied: Path, store: Store, tmp_path: Path, window: float
) -> None:
    file = read_model(copied, classifier=True)
    people = scored_people(file.model.about, store, strangers=False)
    before = (copied / "experiment.json").read_text()
    with pytest.raises(UserError, match=r"--window .* between 0\.25 and 15"):
        explain_people(file, store, people, Plan(window_s=window), tmp_path / "out")
    assert (copied / "experiment.json").read_text() == before


def test_the_command(command_line: Run, copied: Path, strangers: Path) -> None:
    ended = command_line(
        "explain", copied, "--data", strangers, "--epochs-per-subject", 10, "--window", 15,
        "--fill", "zero",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "costs most without" in ended.stdout
    (place,) = (copied / "explanations").iterdir()
    page = (place / "index.html").read_text()
    assert "is set to zero" in page
    assert "finetuned on nights" in page
    assert pd.read_csv(place / "whole.csv").set_index("stage").loc["all", "epochs"] == 30
    refused = command_line("explain", copied / "encoder.safetensors", "--data", strangers)
    assert refused.returncode == 2
    assert "stages nothing" in refused.stderr


def test_it_asks_a_network_that_stages(copied: Path) -> None:
    assert isinstance(read_model(copied, classifier=True).model.network, Staging)
