"""A model on recordings: whose epochs it may stage, and what of a folder is a model."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sleepsweep.data.names import whose
from sleepsweep.data.preparation import prepare
from sleepsweep.data.source import DataSpec
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.experiment.folder import ExperimentFolder
from sleepsweep.experiment.latentfiles import write_embeddings, write_latent
from sleepsweep.experiment.scorefiles import write_scores
from sleepsweep.experiment.setting import staged
from sleepsweep.experiment.spec import LatentSpec
from sleepsweep.experiment.stages.base import ENCODER, FINETUNED, PROBE
from sleepsweep.folder.studyfolder import now
from sleepsweep.latent import Embedded
from sleepsweep.learn.probe import embed_rows
from sleepsweep.learn.staging import Staging
from sleepsweep.model import About, Model
from sleepsweep.progress import Progress, silent
from sleepsweep.ready import READY_MODEL, is_ready
from sleepsweep.replacing import replacing, writing
from sleepsweep.scores import Staged

ACCOUNT = "evaluation.json"


@dataclass(frozen=True)
class ModelFile:
    """A model and the file it is in; `experiment` is the folder of the experiment that wrote it."""

    path: Path
    model: Model

    @property
    def experiment(self) -> ExperimentFolder | None:
        """The experiment's folder, None for a file that lies elsewhere."""
        folder = ExperimentFolder(self.path.parent)
        return folder if folder.manifest_path.exists() else None

    @property
    def digest(self) -> str:
        """A short hash of the file: another training makes another."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]

    @property
    def beside(self) -> Path:
        """Where what is found with it goes: its own folder, the current one for the ready model."""
        return Path() if self.path == READY_MODEL else self.path.parent


def read_model(path: Path, *, classifier: bool, trust: bool = False) -> ModelFile:
    """Return the model in the file `path`, or the furthest one in an experiment's folder.

    The word ``ready`` is the model that comes with sleepsweep. With `classifier` it must have one;
    with `trust` its encoder may be a class of the user's own. Raises `UserError` where there is
    none, and where a path is called ``ready`` as well.
    """
    if is_ready(path):
        path = READY_MODEL
    if path.is_dir():
        wanted = (FINETUNED, PROBE) if classifier else (FINETUNED, ENCODER, PROBE)
        found = [path / name for name in wanted if (path / name).exists()]
        if not found:
            raise UserError(
                f"{path}: has none of {', '.join(wanted)}. Give the folder of an experiment that "
                "has been trained (sleepsweep train), or a model file."
            )
        path = found[0]
    if not path.exists():
        raise UserError(f"{path}: no such file. Give a model file, or an experiment's folder.")
    model = Model.load(path, trust=trust)
    if classifier and not isinstance(model.network, Staging):
        raise UserError(
            f"{path}: is an encoder without a classifier, which stages nothing. Give {PROBE} or "
            f"{FINETUNED} of the experiment."
        )
    return ModelFile(path, model)


def prepare_for(
    about: About, data: Path, derivations: Sequence[str] | None, progress: Progress = silent
) -> Store:
    """Return the store of the recordings at `data`, prepared as the model's own were.

    They must hold the model's derivations, or `derivations` that stand in for these. Raises
    `UserError` where they do not.
    """
    own = about.labels
    asked = DataSpec(
        derivations=tuple(derivations or own), sfreq=about.sfreq, epoch_s=about.epoch_s,
        normalize=about.normalize, wake_crop_min=about.wake_crop_min,
    ).pointed_at(data)  # fmt: skip
    if asked.kind == "store":
        asked = asked.model_copy(update={"wake_crop_min": None})  # it is cropped as it is
    try:
        return prepare(asked, progress=progress)
    except UserError as error:
        if derivations:
            raise
        raise UserError(
            f"{error}\nThe model takes {', '.join(own)}; --derivation names what stands for it."
        ) from error


@dataclass(frozen=True)
class People:
    """Which subjects of a store a model may be scored on, and a sentence on the others."""

    subjects: tuple[str, ...]
    opens_test: bool
    note: str


def scored_people(about: About, store: Store, *, strangers: bool) -> People:
    """Return the subjects of `store` that the model has not seen.

    Of the recordings that it was trained on, these are the test subjects. Elsewhere whoever bears
    the name of a subject that it has seen is left out, unless the user says that they are
    `strangers`. Raises `UserError` where nobody is left.
    """
    if store.data_hash == about.data_hash:
        note = f"The model was trained on these recordings: its {len(about.test)} test subjects."
        return People(about.test, opens_test=True, note=note)
    known = () if strangers else named_as(about.seen, store)
    left = tuple(name for name in store.subjects if name not in known)
    why = (
        f"{len(known)} of {len(store.subjects)} subjects bear names that the model was trained on "
        f"({', '.join(known[:5])}{', …' if len(known) > 5 else ''})"
    )
    hint = "where they are other people, give --strangers"
    if not left:
        raise UserError(f"{store.folder}: all {why}; {hint}.")
    opens = not strangers and not set(left).isdisjoint(named_as(about.test, store))
    return People(left, opens, note=f"{why}, and are left out; {hint}." if known else "")


def named_as(people: Sequence[str], store: Store) -> tuple[str, ...]:
    """Return the subjects of `store` who may be one of `people` (`sleepsweep.data.names.whose`)."""
    known = {whose(name) for name in people}
    return tuple(name for name in store.subjects if whose(name) in known)


def evaluate_people(file: ModelFile, store: Store, people: People, out: Path) -> Staged:
    """Stage all epochs of `people`, and write scores and an account of them into `out`.

    Where these are test subjects, it is written down first that they are opened.
    """
    network = file.model.network
    assert isinstance(network, Staging)
    exam = opened(file, store, people)
    rows = exam.rows(exam.subjects)
    found = staged(exam, rows, lambda exam, rows: network.stage(exam.gather, rows))
    write_scores(found, out, f"{file.path.stem} on {store.folder.name}")
    write_account(file, store, people, out / ACCOUNT)
    return found


def opened(file: ModelFile, store: Store, people: People) -> Store:
    """Return the store of `people`, which hands out nobody else.

    Where these are test subjects, it is written down first that they are opened.
    """
    if people.opens_test and file.experiment is not None:
        with file.experiment.locked():
            file.experiment.log_test_opened()
    return store.only(people.subjects)


def write_account(file: ModelFile, store: Store, people: People, path: Path) -> None:
    """Write down which model was shown whose epochs, when, and by which command."""
    account = {
        "model": str(file.path), "model_sha256": file.digest, "store": str(store.folder),
        "data_hash": store.data_hash, "subjects": list(people.subjects),
        "opened_test_subjects": people.opens_test, "note": people.note, **now(),
    }  # fmt: skip
    with writing(path), replacing(path) as partial:
        partial.write_text(json.dumps(account, indent=1))


def embed_people(
    model: Model, store: Store, spec: LatentSpec, out: Path, *, strangers: bool = False
) -> tuple[int, int]:
    """Embed all epochs that may be looked at; return how many, and of how many subjects.

    Whoever bears the name of a test subject of the model may not, unless the recordings are others
    than it was trained on and the user says that they are of `strangers`. Writes
    ``embeddings.parquet`` of all, and what `write_latent` writes of some of them, in ``latent/``.
    """
    if store.data_hash == model.about.data_hash or not strangers:
        store = store.withholding(set(named_as(model.about.test, store)))
    if not store.subjects:
        raise UserError(f"{store.folder}: holds test subjects of the model alone, who stay closed.")
    rows = store.rows(store.subjects)
    features = embed_rows(model.encoder, store.gather, rows)
    write_embeddings(store.labels(rows), features, out / "embeddings.parquet")
    embedded = Embedded(features, store.stages(rows), store.subjects_of(rows))
    title = f"{store.folder.name}: latent space"
    write_latent(embedded.sample(spec.most_epochs), spec, out / "latent", title)
    return len(rows), len(store.subjects)
