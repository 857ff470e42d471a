"""Which model is taken, whose epochs it may stage, and what is written down of it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.evaluation import (
    embed_people,
    evaluate_people,
    prepare_for,
    read_model,
    scored_people,
)
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.spec import LatentSpec
from sleepsweep.learn.staging import Staging

Nights = Callable[..., Path]
STRANGERS = ["anna1", "bo1", "cy1"]


@pytest.fixture(scope="module")
def done(whole: tuple[ExperimentFolder, Any]) -> Path:
    return whole[0].path


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """The folder of the experiment, to change."""
    return Path(shutil.copytree(done, tmp_path / "copied"))


@pytest.fixture(scope="module")
def others(write_nights: Nights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nights(tmp_path_factory.mktemp("others") / "nights", STRANGERS)


def test_the_furthest_model_of_a_folder_is_taken(copied: Path) -> None:
    assert read_model(copied, classifier=True).path.name == "finetuned.safetensors"
    assert read_model(copied, classifier=False).path.name == "finetuned.safetensors"
    (copied / "finetuned.safetensors").unlink()
    assert read_model(copied, classifier=True).path.name == "probe.safetensors"
    assert read_model(copied, classifier=False).path.name == "encoder.safetensors"
    (copied / "probe.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"copied: has none of finetuned\.safetensors, probe\.safetensors"
    ):
        read_model(copied, classifier=True)


def test_a_model_file_knows_the_experiment_beside_it(copied: Path, tmp_path: Path) -> None:
    file = read_model(copied / "probe.safetensors", classifier=True)
    assert file.experiment is not None
    assert file.experiment.path == copied
    alone = Path(shutil.copy(copied / "probe.safetensors", tmp_path / "alone.safetensors"))
    assert read_model(alone, classifier=True).experiment is None


def test_an_encoder_stages_nothing(done: Path) -> None:
    with pytest.raises(
        UserError, match=r"encoder\.safetensors: is an encoder without a classifier"
    ):
        read_model(done / "encoder.safetensors", classifier=True)


def test_missing_paths_are_named(done: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.safetensors: no such file"):
        read_model(tmp_path / "none.safetensors", classifier=False)
    with pytest.raises(UserError, match="has none of"):
        read_model(tmp_path, classifier=False)
    about = read_model(done, classifier=True).model.about
    with pytest.raises(UserError, match=r"nowhere: found nothing \(no such path\)"):
        prepare_for(about, tmp_path / "nowhere", None)


def test_of_the_same_recordings_only_the_test_subjects_are_scored(
    copied: Path, store: Store, tmp_path: Path
) -> None:
    file = read_model(copied, classifier=True)
    own = prepare_for(file.model.about, store.folder, None)
    people = scored_people(file.model.about, own, strangers=True)
    folder = ExperimentFolder(copied)
    before = folder.read_manifest()
    assert list(people.subjects) == before["subjects"]["test"]
    assert people.opens_test
    found = evaluate_people(file, own, people, tmp_path / "out")
    after = folder.read_manifest()["test_opened"]
    assert len(after) == len(before["test_opened"]) + 1
    account = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert account["subjects"] == before["subjects"]["test"]
    assert account["opened_test_subjects"] is True
    assert account["data_hash"] == store.data_hash
    assert account["model"] == str(copied / "finetuned.safetensors")
    whole = hashlib.sha256((copied / "finetuned.safetensors").read_bytes()).hexdigest()
    assert whole.startswith(account["model_sha256"])
    assert len(account["model_sha256"]) == 16
    # The experiment's own last stage told the same.
    ours = pd.read_csv(tmp_path / "out" / "predictions.csv", keep_default_na=False)
    tested = pd.read_csv(copied / "test" / "finetune" / "predictions.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(ours, tested)
    assert len(found.labels) == len(ours)


def test_an_opening_is_written_down_before_anything_is_staged(
    copied: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_model(copied, classifier=True)
    people = scored_people(file.model.about, store, strangers=False)
    folder = ExperimentFolder(copied)
    before = len(folder.read_manifest()["test_opened"])

    def fail(*_: object) -> None:
        raise RuntimeError("the power is cut")

    monkeypatch.setattr(Staging, "stage", fail)
    with pytest.raises(RuntimeError, match="power"):
        evaluate_people(file, store, people, tmp_path / "out")
    assert len(folder.read_manifest()["test_opened"]) == before + 1


def test_strangers_are_all_scored_and_open_nobody(
    copied: Path, others: Path, tmp_path: Path
) -> None:
    file = read_model(copied, classifier=True)
    about = file.model.about
    strange = prepare_for(about, others, None)
    people = scored_people(about, strange, strangers=False)
    assert (people.opens_test, people.note) == (False, "")
    assert set(people.subjects) == set(strange.subjects)
    before = (copied / "experiment.json").read_text()
    evaluate_people(file, strange, people, tmp_path / "out")
    assert (copied / "experiment.json").read_text() == before
    table = pd.read_csv(tmp_path / "out" / "by_subject.csv")
    assert table["epochs"].tolist() == [40, 40, 40]


def test_who_bears_a_seen_name_is_left_out_unless_it_is_said_that_they_are_others(
    done: Path, write_nights: Nights, tmp_path: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    seen = about.seen[:2]
    mixed = [f"{name}1E0" for name in seen] + ["anna1"]
    namesakes = prepare_for(about, write_nights(tmp_path / "mixed", mixed), None)
    assert set(seen) < set(namesakes.subjects)
    people = scored_people(about, namesakes, strangers=False)
    assert set(people.subjects) == set(namesakes.subjects) - set(seen)
    assert f"2 of 3 subjects bear names that the model was trained on ({seen[0]}" in people.note
    assert "--strangers" in people.note
    assert scored_people(about, namesakes, strangers=True).subjects == namesakes.subjects


def test_names_in_another_case_or_of_another_night_are_seen_ones(
    done: Path, write_nights: Nights, tmp_path: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    others = ["anna1", f"{about.seen[0].lower()}_night2", f"{about.test[0].lower()}_n3"]
    store = prepare_for(about, write_nights(tmp_path / "spelt", others), None)
    people = scored_people(about, store, strangers=False)
    assert set(people.subjects) == set(others) - {others[1]}
    assert people.opens_test
    embed_people(read_model(done, classifier=False).model, store, LatentSpec(pictures=("pca",)),
                 tmp_path / "out")  # fmt: skip
    embedded = pd.read_parquet(tmp_path / "out" / "embeddings.parquet")
    assert set(embedded["subject"]) == set(others[:2])


def test_where_everybody_bears_a_seen_name_nobody_is_scored(
    done: Path, write_nights: Nights, tmp_path: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    folder = write_nights(tmp_path / "seen", [f"{name}1E0" for name in about.seen])
    namesakes = prepare_for(about, folder, None)
    with pytest.raises(UserError, match=r"all 4 of 4 subjects bear names .*give --strangers"):
        scored_people(about, namesakes, strangers=False)


def test_recordings_of_another_kind_are_refused(
    done: Path, others: Path, write_nights: Nights, tmp_path: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    short = write_nights(tmp_path / "short", STRANGERS, x=np.zeros((40, 2000), np.float32))
    with pytest.raises(UserError, match="epochs of 2000 samples"):
        prepare_for(about, short, None)
    with pytest.raises(UserError, match="asks for 'Pz-Oz'"):
        prepare_for(about, others, ["Pz-Oz"])
    with pytest.raises(UserError, match="holds one derivation"):
        prepare_for(about, others, ["Fpz-Cz", "Pz-Oz"])


def test_recordings_at_another_rate_are_brought_to_the_model_s(
    done: Path, write_nights: Nights, tmp_path: Path
) -> None:
    file = read_model(done, classifier=True)
    draw = np.random.default_rng(0).normal(size=(40, 6000)).astype(np.float32)
    fast = write_nights(tmp_path / "fast", STRANGERS, x=draw, fs=200)
    found = prepare_for(file.model.about, fast, None)
    file.model.check_fits(found)
    assert found.sfreq == 100


def test_a_store_that_was_prepared_otherwise_is_refused(
    done: Path, store: Store, others: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    for changes in ({"sfreq": 128.0}, {"epoch_s": 20.0}, {"normalize": "none"}):
        key = next(iter(changes))
        with pytest.raises(UserError, match=rf"data\.{key} is .* was prepared with"):
            prepare_for(about.model_copy(update=changes), store.folder, None)


SMALL = LatentSpec(most_epochs=40, pictures=("pca",))


def test_embedding_its_own_recordings_keeps_the_test_subjects_closed(
    done: Path, store: Store, tmp_path: Path
) -> None:
    model = read_model(done, classifier=False).model
    before = (done / "experiment.json").read_text()
    count, people = embed_people(model, store, SMALL, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "embeddings.parquet")
    open_to_all = set(store.subjects) - set(model.about.test)
    assert set(table["subject"].astype(str)) == open_to_all
    assert (count, people) == (len(store.rows(sorted(open_to_all))), 4)
    assert len(table) == count
    assert [f"e{place}" for place in range(16)] == [name for name in table if name[0] == "e"]
    assert np.allclose(np.linalg.norm(table.filter(regex="^e").to_numpy(), axis=1), 1, atol=1e-4)
    assert set(table["stage"]) <= {"W", "N1", "N2", "N3", "R"}
    page = (tmp_path / "out" / "latent" / "index.html").read_text()
    assert "40 epochs of 4 subjects" in page
    assert (done / "experiment.json").read_text() == before


def test_embedding_others_is_of_everybody(done: Path, others: Path, tmp_path: Path) -> None:
    model = read_model(done / "encoder.safetensors", classifier=False).model
    strange = prepare_for(model.about, others, None)
    assert embed_people(model, strange, SMALL, tmp_path / "out") == (120, 3)
    names = {path.name for path in (tmp_path / "out" / "latent").iterdir()}
    assert names == {"measures.csv", "pca.png", "index.html"}


def test_recordings_must_hold_the_models_derivation_or_one_that_stands_for_it(
    done: Path, others: Path
) -> None:
    about = read_model(done, classifier=True).model.about
    elsewhere = about.model_copy(update={"derivations": ("Pz-Oz",)})
    with pytest.raises(UserError, match=r"Pz-Oz.*\n.*takes Pz-Oz; --derivation names what stands"):
        prepare_for(elsewhere, others, None)
    assert prepare_for(elsewhere, others, ["Fpz-Cz"]).channels == ("Fpz-Cz",)


def test_nobody_named_as_a_test_subject_is_embedded_from_other_files(
    done: Path, others: Path, tmp_path: Path
) -> None:
    found = read_model(done / "encoder.safetensors", classifier=False).model
    named = found.about.model_copy(update={"test": (STRANGERS[0], "nobody")})
    model = type(found)(named, found.network)
    store = prepare_for(named, others, None)
    assert embed_people(model, store, SMALL, tmp_path / "out") == (80, 2)
    table = pd.read_parquet(tmp_path / "out" / "embeddings.parquet")
    assert STRANGERS[0] not in set(table["subject"].astype(str))
    assert embed_people(model, store, SMALL, tmp_path / "all", strangers=True) == (120, 3)
    alone = type(found)(named.model_copy(update={"test": tuple(STRANGERS)}), found.network)
    with pytest.raises(UserError, match="who stay closed"):
        embed_people(alone, store, SMALL, tmp_path / "none")


def test_test_subjects_among_other_files_are_written_down_as_opened(
    copied: Path, others: Path, tmp_path: Path
) -> None:
    file = read_model(copied, classifier=True)
    named = file.model.about.model_copy(update={"test": (STRANGERS[0],)})
    file = type(file)(file.path, type(file.model)(named, file.model.network))
    store = prepare_for(named, others, None)
    before = len(ExperimentFolder(copied).read_manifest()["test_opened"])
    people = scored_people(named, store, strangers=False)
    evaluate_people(file, store, people, tmp_path / "out")
    assert len(ExperimentFolder(copied).read_manifest()["test_opened"]) == before + 1
    assert not scored_people(named, store, strangers=True).opens_test
