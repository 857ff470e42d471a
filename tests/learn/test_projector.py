import pytest
import torch

from sleepsweep.learn.projector import build_projector


def test_none_hands_the_embeddings_on() -> None:
    embeddings = torch.randn(3, 8)
    assert build_projector("none", 8, 4, 0)(embeddings) is embeddings


@pytest.mark.parametrize(("kind", "count"), [("linear", 9 * 4), ("mlp", 9 * 4 + 8 + 5 * 4)])
def test_a_projector_has_its_width_and_weights_of_the_seed_alone(kind: str, count: int) -> None:
    before = torch.get_rng_state()
    one, two, other = (build_projector(kind, 8, 4, seed) for seed in (1, 1, 2))  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), before)
    assert sum(weights.numel() for weights in one.parameters()) == count
    assert one(torch.randn(3, 8)).shape == (3, 4)
    pairs = list(zip(one.parameters(), two.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(left, right) for left, right, _ in pairs)
    assert not torch.equal(pairs[0][0], pairs[0][2])
