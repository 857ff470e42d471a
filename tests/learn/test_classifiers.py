import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from sleepsweep.learn.classifiers import CLASSIFIERS, Classifier, build_classifier
from sleepsweep.learn.finetune import FinetuneSpec


@pytest.mark.parametrize("name", CLASSIFIERS.all())
def test_every_classifier_gives_five_logits_whatever_the_width(name: str) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = build_classifier(name, 24, 0.5, weights_seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    embeddings = torch.nn.functional.normalize(torch.randn(6, 24), dim=1)
    assert one.eval()(embeddings).shape == (6, 5)
    same, other = (build_classifier(name, 24, 0.5, seed).state_dict() for seed in (1, 2))
    assert all(torch.equal(value, same[key]) for key, value in one.state_dict().items())
    assert any(not torch.equal(value, other[key]) for key, value in one.state_dict().items())


def test_the_published_classifier_has_the_published_layers() -> None:
    mlp = build_classifier("mlp", 128, 0.5, 0)
    shapes = [
        tuple(layer.weight.shape) for layer in mlp.modules() if type(layer).__name__ == "Linear"
    ]
    assert shapes == [(256, 128), (128, 256), (5, 128)]


def test_a_new_classifier_is_one_class_and_a_name_used_twice_is_an_error() -> None:
    class Nothing(Classifier):
        name = "nothing in particular"

        def forward(self, embeddings: Tensor) -> Tensor:
            return embeddings[:, :5]

    assert FinetuneSpec(classifier="nothing in particular").classifier in CLASSIFIERS.all()
    with pytest.raises(TypeError, match="'linear' is used twice"):
        type("Another", (Classifier,), {"name": "linear"})


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="Did you mean linear"):
        FinetuneSpec(classifier="liner")
