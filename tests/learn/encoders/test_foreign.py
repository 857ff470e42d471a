"""Encoders that are named by a dotted path."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from pydantic import ValidationError

from sleepsweep.errors import UserError
from sleepsweep.learn.encoders import EncoderSpec

OWN = """
import torch
from torch import nn

class Plain(nn.Module):
    def __init__(self, channels, latent_dim, dropout):
        super().__init__()
        self.layer = nn.Conv1d(channels, latent_dim, 9, stride=9)
        self.dropout = nn.Dropout(dropout)

    def forward(self, epochs):
        return 7 * self.dropout(self.layer(epochs)).mean(dim=-1)

class Wide(Plain):
    def forward(self, epochs):
        return torch.cat([super().forward(epochs)] * 2, dim=1)

class Fixed(Plain):
    def forward(self, epochs):
        return super().forward(epochs.reshape(len(epochs), -1, 3840))

class Twofold(Plain):
    def forward(self, epochs):
        return super().forward(epochs), None

class Narrow(nn.Module):
    def __init__(self, channels, width):
        super().__init__()

class Lazy(nn.Module):
    def __init__(self, channels, latent_dim, dropout):
        super().__init__()
        self.layer = nn.LazyLinear(latent_dim)

    def forward(self, epochs):
        return self.layer(epochs.flatten(1))

class Nothing:
    pass

def function(channels, latent_dim, dropout):
    return Plain(channels, latent_dim, dropout)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module that can be imported; return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(text: str, name: str = "own_encoders") -> str:
        (tmp_path / f"{name}.py").write_text(dedent(text))
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_named_by_its_path_is_an_encoder(module: Callable[[str], str]) -> None:
    spec = EncoderSpec(name=f"{module(OWN)}.Plain", latent_dim=6)
    encoder, again, other = (spec.build(2, seed) for seed in (1, 1, 2))
    embeddings = encoder(torch.randn(5, 2, 3000))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(5))
    assert encoder.training
    assert encoder.latent_dim == 6
    one, two, three = (each.module.layer.weight for each in (encoder, again, other))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_nothing_is_imported_before_an_encoder_is_built(module: Callable[[str], str]) -> None:
    spec = EncoderSpec(name=f"{module('raise RuntimeError')}.Plain")
    assert EncoderSpec.model_validate(spec.model_dump()) == spec
    with pytest.raises(RuntimeError):
        spec.build(1, 0)


def test_weights_that_are_made_at_the_first_call_are_drawn_from_the_seed(
    module: Callable[[str], str],
) -> None:
    spec = EncoderSpec(name=f"{module(OWN)}.Lazy", latent_dim=4)
    one, two = (spec.build(1, 3, samples=600).module.layer.weight for _ in range(2))
    assert one.shape == (4, 600)
    assert torch.equal(one, two)


def test_an_encoder_is_tried_on_epochs_of_the_length_of_the_data(
    module: Callable[[str], str],
) -> None:
    spec = EncoderSpec(name=f"{module(OWN)}.Fixed", latent_dim=4)
    assert spec.build(1, 0, samples=3840)(torch.randn(3, 1, 3840)).shape == (3, 4)
    with pytest.raises(UserError, match=r"Fixed: fails on epochs \(2, 1, 3000\): shape"):
        spec.build(1, 0)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("own_encoders.Missing", "the module own_encoders has no class Missing"),
        ("own_encoders.Nothing", "is no class derived from torch.nn.Module"),
        ("own_encoders.function", "is no class derived from torch.nn.Module"),
        (
            "own_encoders.Narrow",
            "latent_dim=..., dropout=...\\), but missing a required",
        ),
        ("own_encoders.Wide", r"maps epochs \(2, 1, 3000\) to \(2, 8\); embeddings are \(2, 4\)"),
        ("own_encoders.Twofold", "to <class 'tuple'>; embeddings are"),
        ("no_such_package.part.Net", "there is no module no_such_package. Install .* PYTHONPATH"),
        ("own_encoders.part.Net", "there is no module own_encoders.part"),
    ],
)
def test_a_class_that_is_no_encoder_is_refused_with_what_is_wrong(
    path: str, said: str, module: Callable[[str], str]
) -> None:
    module(OWN)
    with pytest.raises(UserError, match=said) as caught:
        EncoderSpec(name=path, latent_dim=4).build(1, 0)
    assert f"encoder {path}" in str(caught.value)


def test_a_module_that_an_encoder_needs_and_that_is_missing_keeps_its_traceback(
    module: Callable[[str], str],
) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        EncoderSpec(name=f"{module('import no_such_library')}.Net").build(1, 0)


def test_the_global_generator_is_left_as_it_was_by_a_refusal_too(
    module: Callable[[str], str],
) -> None:
    before = torch.get_rng_state()
    with pytest.raises(UserError):
        EncoderSpec(name=f"{module(OWN)}.Wide").build(1, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("SimplSleepNet", "Did you mean SimpleSleepNet?"),
        ("Transformer", "Known: DilatedSleepNet, SimpleSleepNet"),
        ("own..Net", "named by its path: package.module.ClassName"),
        ("own module.Net", "unknown encoder"),
        ("", "unknown encoder"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_and_those_allowed(
    name: str, said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        EncoderSpec(name=name)
    assert said in str(caught.value)
