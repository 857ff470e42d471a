"""The ready model: small, whole, made by the recipe of the repository, with a card that fits it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sleepsweep.errors import UserError
from sleepsweep.evaluation import read_model
from sleepsweep.experiment.policy import as_entry
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.model import Model
from sleepsweep.ready import READY, READY_CARD, READY_MODEL
from sleepsweep.spec.specfile import read_study

RECIPE = Path(__file__).parent.parent / "search_spaces" / "experiments" / "ready.yaml"
CARD = READY_CARD.read_text()


@pytest.fixture(scope="module")
def ready() -> Model:
    return read_model(Path(READY), classifier=True).model


def test_it_is_below_a_megabyte() -> None:
    assert READY_MODEL.stat().st_size < 1_000_000


def test_it_stages_epochs(ready: Model) -> None:
    epochs = torch.randn(3, 1, 3000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        logits = ready.network(epochs)
    assert logits.shape == (3, 5)
    assert torch.isfinite(logits).all()


def test_it_is_what_its_recipe_makes(ready: Model) -> None:
    spec = read_study(ExperimentSpec, RECIPE)
    about = ready.about
    assert about.encoder == spec.encoder
    assert (about.sfreq, about.epoch_s) == (spec.data.sfreq, spec.data.epoch_s)
    assert about.normalize == spec.data.normalize
    assert about.derivations == spec.data.derivations
    people = {f"SIM{number:03d}" for number in range(spec.data.simulated.subjects)}
    assert {*about.seen, *about.test} == people
    assert len(about.seen) + len(about.test) == len(people) >= 20


def test_its_card_says_what_it_must(ready: Model) -> None:
    for said in ("not a medical device", "simulated", ready.about.data_hash[:12], "interval",
                 "sleepsweep train search_spaces/experiments/ready.yaml",
                 "python -m benchmarks.real_night", *ready.about.test):  # fmt: skip
        assert said.lower() in CARD.lower(), said


def test_its_card_names_every_augmentation_of_the_policy() -> None:
    for member in read_study(ExperimentSpec, RECIPE).policy:
        assert as_entry(member)[0] in CARD


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_a_path_of_the_same_name_is_not_silently_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / READY
    make(own)
    for word in (READY, "./ready"):
        with pytest.raises(UserError, match="as well") as told:
            read_model(Path(word), classifier=True)
        # Either full path that it names is taken for what it says.
        assert f"{own} or {READY_MODEL}." in str(told.value)
    assert read_model(READY_MODEL, classifier=True).path == READY_MODEL
    with pytest.raises(UserError, match=r"has none of|is no safetensors file"):
        read_model(own, classifier=True)


def test_nothing_is_written_beside_it() -> None:
    assert read_model(Path(READY), classifier=False).beside == Path()
