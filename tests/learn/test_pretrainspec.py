import math
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from sleepsweep.learn.pretrainspec import PretrainSpec


def test_keys_at_their_default_are_not_written() -> None:
    first = {"batch_size", "learning_rate", "loss", "steps", "temperature"}
    assert set(PretrainSpec().model_dump()) == first
    assert set(PretrainSpec(projector="none", clip_norm=None).model_dump(mode="json")) == first
    changed = PretrainSpec(projector="mlp", schedule="cosine", weight_decay=0.1, check_interval=5)
    written = changed.model_dump(mode="json")
    new = {"projector": "mlp", "schedule": "cosine", "weight_decay": 0.1, "check_interval": 5}
    assert {key: value for key, value in written.items() if key not in first} == new
    assert PretrainSpec.model_validate(written) == changed


def test_a_constant_rate_is_the_learning_rate_itself() -> None:
    spec = PretrainSpec(learning_rate=3e-4, steps=10)
    assert {spec.rate(step) for step in range(10)} == {3e-4}


def test_a_rate_rises_over_the_warm_up_and_falls_along_half_a_cosine() -> None:
    spec = PretrainSpec(learning_rate=1.0, steps=100, warmup_steps=20, schedule="cosine")
    rates = [spec.rate(step) for step in range(100)]
    assert rates[:20] == pytest.approx([(step + 1) / 20 for step in range(20)])
    assert rates[20] == 1.0
    assert rates[60] == pytest.approx(0.5)
    assert rates[40] == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))
    assert all(one > two for one, two in pairwise(rates[20:]))
    assert 0 < rates[-1] < 0.001


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"loss": "ntxent"}, "Did you mean nt_xent? Known: nt_xent, vicreg."),
    ({"loss": "vicreg"}, "give projector mlp or linear"),
    ({"projector": "deep"}, "'none', 'linear' or 'mlp'"),
    ({"warmup_steps": 10, "steps": 10}, "warmup_steps 10 leaves none of 10 steps"),
    ({"warmup_steps": -1}, "greater than or equal to 0"),
    ({"schedule": "linear"}, "'constant' or 'cosine'"),
    ({"clip_norm": 0.0}, "greater than 0"),
    ({"weight_decay": -0.1}, "greater than or equal to 0"),
    ({"precision": "float16"}, "'float32' or 'bfloat16'"),
    ({"check_interval": 0}, "greater than or equal to 1"),
    ({"min_improvement": -0.1}, "greater than or equal to 0"),
    ({"projector_dim": 1}, "greater than or equal to 2"),
]


@pytest.mark.parametrize(("keys", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_value_that_does_not_fit_is_refused_with_what_is_allowed(
    keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        PretrainSpec(**keys)
    assert said in str(caught.value)
