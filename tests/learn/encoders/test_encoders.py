import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sleepsweep.learn import encoders
from sleepsweep.learn.encoders import ENCODERS, Encoder, EncoderSpec


@pytest.mark.parametrize(
    ("name", "count"), [("SimpleSleepNet", 215_872), ("DilatedSleepNet", 89_344)]
)
def test_an_encoder_has_the_published_number_of_parameters(name: str, count: int) -> None:
    encoder = EncoderSpec(name=name).build(channels=1, weights_seed=0)
    assert sum(weights.numel() for weights in encoder.parameters()) == count


def test_the_dilated_encoder_keeps_the_length_of_an_epoch() -> None:
    encoder = EncoderSpec(name="DilatedSleepNet").build(channels=1, weights_seed=0)
    assert encoder.convolutions(torch.zeros(1, 1, 777)).shape == (1, 128, 777)


def test_the_dilated_encoder_needs_eleven_times_the_arithmetic() -> None:
    operations = []
    for name in ("SimpleSleepNet", "DilatedSleepNet"):
        encoder = EncoderSpec(name=name).build(1, 0).eval()
        with FlopCounterMode(display=False) as counter:
            encoder(torch.zeros(1, 1, 3000))
        operations.append(counter.get_total_flops())
    assert round(operations[1] / operations[0]) == 11


@pytest.mark.parametrize("name", ENCODERS.all())
@pytest.mark.parametrize(("channels", "samples"), [(1, 3000), (3, 3000), (2, 600)])
def test_embeddings_have_length_one_whatever_the_channels_and_the_epochs_length(
    name: str, channels: int, samples: int
) -> None:
    encoder = EncoderSpec(name=name, latent_dim=32).build(channels, 0, samples=samples)
    assert encoder.training
    assert encoder.latent_dim == 32
    embeddings = encoder(torch.randn(4, channels, samples))
    assert embeddings.shape == (4, 32)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))


@pytest.mark.parametrize("name", ENCODERS.all())
def test_dropout_is_what_is_asked_for(name: str) -> None:
    encoder = EncoderSpec(name=name, dropout=0.35).build(1, 0)
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Dropout)]
    assert {layer.p for layer in layers} == {0.35}


@pytest.mark.parametrize("name", ENCODERS.all())
def test_weights_depend_on_the_seed_alone_and_leave_the_global_generator_as_it_was(
    name: str,
) -> None:
    spec = EncoderSpec(name=name)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = spec.build(1, 7).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    two, other = spec.build(1, 7).state_dict(), spec.build(1, 8).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["head.0.weight"], other["head.0.weight"])


def test_an_encoder_stands_in_a_file_of_its_name() -> None:
    for name, kind in ENCODERS.all().items():
        assert Path(inspect.getfile(kind)).name == f"{name.lower()}.py"


def test_a_new_file_of_the_package_is_found_and_a_name_is_used_once() -> None:
    folder = Path(encoders.__file__).parent
    found = {path.stem for path in folder.glob("*net.py")}
    assert found == {name.lower() for name in ENCODERS.all()}
    with pytest.raises(TypeError, match=r"'SimpleSleepNet' is used twice: by sleepsweep.*simples"):
        type("SimpleSleepNet", (Encoder,), {})


def test_half_precision_features_become_float32_embeddings() -> None:
    class Halved(Encoder, abstract=True):
        def features(self, epochs: Tensor) -> Tensor:
            return epochs[:, 0, :8].bfloat16()

    assert "Halved" not in ENCODERS.all()
    assert Halved(8)(torch.randn(4, 1, 100)).dtype == torch.float32
