"""Pieces of epochs, sample by sample, and what autograd makes of them."""

import pytest
import torch

from sleepsweep.augment.rows import ones_until, pieces, scale_pieces

STARTS = torch.tensor([[0], [3], [6], [1]])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("length", [1, 5])
def test_pieces_are_slices(epochs, channels, length):
    x = epochs(4, channels, 11)
    got = pieces(x, STARTS, length)
    for epoch, piece, start in zip(x, got, STARTS[:, 0].tolist(), strict=True):
        assert torch.equal(piece, epoch[:, start : start + length])


def test_pieces_of_a_view_of_another_layout(epochs):
    x = epochs(11, 2, 4).permute(2, 1, 0)
    assert torch.equal(pieces(x, STARTS, 5), pieces(x.contiguous(), STARTS, 5))
    factor = torch.rand(4, 5, dtype=x.dtype)
    scaled = scale_pieces(x, STARTS, factor)
    assert torch.equal(scaled, scale_pieces(x.contiguous(), STARTS, factor))


def test_pieces_are_scaled_and_nothing_else(epochs):
    x, factor = epochs(4, 2, 11), epochs(4, 1, 5, seed=1)[:, 0]
    before, got = x.clone(), scale_pieces(x, STARTS, factor)
    want = x.clone()
    for row, start in enumerate(STARTS[:, 0].tolist()):
        for sample in range(5):
            want[row, :, start + sample] *= factor[row, sample]
    assert torch.equal(got, want)
    assert torch.equal(x, before)


def test_gradients_are_those_of_finite_differences(epochs):
    x, factor = epochs(4, 2, 11).requires_grad_(), epochs(4, 1, 5, seed=1)[:, 0]
    assert torch.autograd.gradcheck(lambda x: pieces(x, STARTS, 5), x)
    assert torch.autograd.gradcheck(lambda x: scale_pieces(x, STARTS, factor), x)


def test_ones_end_where_they_are_told_to():
    ends = torch.arange(5)[:, None]
    assert ones_until(ends, 4, torch.float32).tolist() == [
        [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1],
    ]  # fmt: skip
