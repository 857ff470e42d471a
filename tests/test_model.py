"""A model as a file: the same network comes back, and nothing else is let in."""

import json
import os
import pickle
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sleepsweep.data.recording import Normalize
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError
from sleepsweep.learn.encoders import EncoderSpec
from sleepsweep.learn.probe import ProbeSpec, embed_rows
from sleepsweep.learn.staging import Staging
from sleepsweep.metrics import STAGES
from sleepsweep.model import FORMAT, About, Model, _built, probe_classifier

Tree = dict[str, Any]
Change = Callable[[dict[str, torch.Tensor], Tree], tuple[dict[str, torch.Tensor], Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def about(classifier: str | None = "mlp", **changes: Any) -> About:
    normalize: Normalize = "robust"
    fields: Tree = {
        "encoder": EncoderSpec(latent_dim=16), "classifier": classifier,
        "derivations": ("Fpz-Cz",), "sfreq": 100.0, "epoch_s": 30.0, "normalize": normalize,
        "data_hash": "abc", "seen": ("a", "b"), "test": ("c",),
    }  # fmt: skip
    return About(**{**fields, **changes})


def model(classifier: str | None = "mlp", **changes: Any) -> Model:
    """Return a network whose weights are not those that it is built with."""
    described = about(classifier, **changes)
    network = _built(described)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=draw))
    return Model(described, network.eval())


@pytest.mark.parametrize("classifier", [None, "linear", "mlp"])
def test_what_is_saved_comes_back(tmp_path: Path, classifier: str | None) -> None:
    saved = model(classifier)
    saved.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")
    assert loaded.about == saved.about
    assert not loaded.network.training
    epochs = torch.randn(6, 1, 3000, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.equal(loaded.network(epochs), saved.network(epochs))
        assert torch.equal(loaded.encoder(epochs), saved.encoder(epochs))


def test_a_linear_probe_predicts_the_same_as_a_classifier(store: Store) -> None:
    encoder = model(None).encoder
    rows = store.rows(store.subjects[:3])[::9]
    features = embed_rows(encoder, store.gather, rows)
    fitted = ProbeSpec().fit(features, store.stages(rows), store.subjects_of(rows))
    classifier = probe_classifier(fitted)
    assert classifier is not None
    others = store.rows(store.subjects[3:])
    told = Staging(encoder, classifier).eval().stage(store.gather, others)
    expected = fitted.predict(embed_rows(encoder, store.gather, others))
    assert np.array_equal(told, expected)
    assert len(set(told.tolist())) > 1


def test_a_probe_lacking_a_stage_never_predicts_it_as_a_classifier(store: Store) -> None:
    encoder = model(None).encoder
    rows = store.rows(store.subjects)[::5]
    stages = store.stages(rows)
    some = rows[stages != STAGES.index("N2")]
    features = embed_rows(encoder, store.gather, some)
    fitted = ProbeSpec().fit(features, store.stages(some), store.subjects_of(some))
    classifier = probe_classifier(fitted)
    assert classifier is not None
    told = Staging(encoder, classifier).eval().stage(store.gather, rows)
    assert STAGES.index("N2") not in told


def test_neighbours_are_no_classifier(store: Store) -> None:
    rows = store.rows(store.subjects[:2])[::20]
    features = embed_rows(model(None).encoder, store.gather, rows)
    fitted = ProbeSpec(kind="knn").fit(features, store.stages(rows), store.subjects_of(rows))
    assert probe_classifier(fitted) is None


def test_loading_leaves_torch_s_own_generator_as_it_was(tmp_path: Path) -> None:
    model().save(tmp_path / "model.safetensors")
    torch.manual_seed(5)
    before = torch.get_rng_state()
    Model.load(tmp_path / "model.safetensors")
    assert torch.equal(torch.get_rng_state(), before)


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Model.load(path)
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    return said


def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    path = tmp_path / "model.safetensors"
    torch.save({"format": FORMAT, "about": Bomb(), "weights": {}}, path)
    refused(path)
    path.write_bytes(pickle.dumps(Bomb()))
    refused(path)
    assert not (tmp_path / "exploded").exists()


def test_other_files_are_no_models(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("weights, weights, weights")
    refused(path)
    path.write_bytes(b"")
    refused(path)
    torch.save({"step": 3, "weights": {}}, path)
    refused(path)
    refused(tmp_path)
    refused(tmp_path / "none.safetensors")


@pytest.mark.parametrize("texts", [None, {}, {"format": "pt"}, {"sleepsweep model 1": "{}"}])
def test_other_weights_are_no_model(tmp_path: Path, texts: dict[str, str] | None) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"weight": torch.zeros(3)}, path, texts)
    assert "no model of this version of sleepsweep" in refused(path)


HEADERS = {
    "longer than any file": (2**63, b"{}"),
    "longer than this file": (10_000, b"{}"),
    "no JSON": (6, b"{{{{{{"),
    "no text": (2, b"\xff\xfe"),
    "a list": (2, b"[]"),
    "texts that are numbers": (26, b'{"__metadata__": {"a": 1}}'),
    "a shape beyond the file": (
        69, b'{"a":{"dtype":"F32","shape":[100000000000000],"data_offsets":[0,4]}}'.ljust(69)
    ),
    "a place beyond the file": (
        58, b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'.ljust(58)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_is_none_is_refused(tmp_path: Path, case: str) -> None:
    length, header = HEADERS[case]
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", length) + header + b"0000")
    refused(path)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused(folder: Path, content: bytes) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    refused(path)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_damaged_header_is_refused_or_changes_nothing(folder: Path, data: st.DataObject) -> None:
    path = folder / "model.safetensors"
    saved = model("linear")
    saved.save(path)
    whole = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(whole[:8], "little")
    place = data.draw(st.integers(0, header - 1))
    whole[place] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    with suppress(UserError):
        assert Model.load(path).about.encoder.latent_dim == 16


@pytest.mark.parametrize("kept", [0.001, 0.3, 0.9, 0.999])
def test_a_model_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "model.safetensors"
    model().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    refused(path)


def described(**changes: Any) -> Change:
    return lambda weights, about: (weights, {**about, **changes})


DAMAGED: dict[str, Change] = {
    "unknown key": described(colour="green"),
    "unknown key of the encoder": described(encoder={"name": "SimpleSleepNet", "depth": 3}),
    "unknown encoder": described(encoder={"name": "Other"}),
    "a hash that is text": described(data_hash="0\n# Approved medical device"),
    "unknown classifier": described(classifier="oracle"),
    "wrong type": described(sfreq="fast"),
    "no samples": described(sfreq=0.0),
    "samples without end": described(sfreq=1e300),
    "no number of samples": described(epoch_s=float("nan")),
    "other width": described(encoder={"name": "SimpleSleepNet", "latent_dim": 32}),
    "absurd width": described(encoder={"name": "SimpleSleepNet", "latent_dim": 10**12}),
    "other channels": described(derivations=["Fpz-Cz", "Pz-Oz"]),
    "no channel": described(derivations=[]),
    "weights of the encoder alone": described(classifier=None),
    "about is a list": lambda weights, about: (weights, [1, 2]),
    "about is null": lambda weights, about: (weights, None),
    "no weights": lambda weights, about: ({}, about),
    "a weight too many": lambda weights, about: ({**weights, "a": torch.zeros(1)}, about),
    "weights of one number": lambda weights, about: (
        {name: torch.zeros(1) for name in weights}, about
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGED)
def test_a_model_whose_parts_do_not_fit_is_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "model.safetensors"
    saved = model()
    saved.save(path)
    weights, changed = DAMAGED[case](load_file(path), saved.about.model_dump(mode="json"))
    save_file(weights, path, {FORMAT: json.dumps(changed)})
    refused(path)


@pytest.mark.parametrize("text", ["", "green", "{}", "[" * 100_000])
def test_a_model_without_what_it_is_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.safetensors"
    save_file(model().network.state_dict(), path, {FORMAT: text})
    refused(path)


def test_equal_models_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        model().save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_file_says_what_it_is_to_any_reader_of_its_format(tmp_path: Path) -> None:
    saved = model()
    saved.save(tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="np") as file:
        assert json.loads(file.metadata()[FORMAT])["derivations"] == ["Fpz-Cz"]
        assert set(file.keys()) == set(saved.network.state_dict())


def test_epochs_as_the_model_s_own_fit(store: Store) -> None:
    model().check_fits(store)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"derivations": ("Fpz-Cz", "Pz-Oz")}, "2 derivations (Fpz-Cz, Pz-Oz)"),
        ({"sfreq": 128.0}, "30 s at 128 Hz"),
        ({"epoch_s": 20.0}, "20 s at 100 Hz"),
        ({"sfreq": 200.0, "epoch_s": 15.0}, "15 s at 200 Hz"),
    ],
)
def test_epochs_of_another_kind_do_not_fit(store: Store, changes: Tree, said: str) -> None:
    with pytest.raises(UserError) as caught:
        Model(about(**changes), torch.nn.Identity()).check_fits(store)
    assert said in str(caught.value)


def test_a_class_of_ones_own_is_imported_on_trust_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_networks.py").write_text(
        "from pathlib import Path\nfrom torch import nn\n"
        f"Path({str(tmp_path / 'imported')!r}).touch()\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, channels, latent_dim, dropout):\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(3000 * channels, latent_dim)\n"
        "    def forward(self, epochs):\n"
        "        return self.linear(epochs.flatten(1))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    encoder = EncoderSpec(name="own_networks.Net", latent_dim=16)
    model(encoder=encoder).save(tmp_path / "model.safetensors")
    (tmp_path / "imported").unlink()
    monkeypatch.delitem(sys.modules, "own_networks")
    with pytest.raises(UserError, match=r"own_networks\.Net, a class outside .* give --trust"):
        Model.load(tmp_path / "model.safetensors")
    assert not (tmp_path / "imported").exists()
    assert Model.load(tmp_path / "model.safetensors", trust=True).about.encoder == encoder
