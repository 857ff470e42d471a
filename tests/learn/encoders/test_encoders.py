import torch

from sleepsweep.learn.encoders import EncoderSpec


def test_simplesleepnet_has_the_published_number_of_parameters() -> None:
    encoder = EncoderSpec().build(channels=1, weights_seed=0)
    assert sum(weights.numel() for weights in encoder.parameters()) == 215_872


def test_embeddings_have_length_one_whatever_the_channels() -> None:
    encoder = EncoderSpec(latent_dim=32).build(channels=3, weights_seed=0)
    embeddings = encoder(torch.randn(4, 3, 3000))
    assert embeddings.shape == (4, 32)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))


def test_weights_depend_on_the_seed_alone_and_leave_the_global_generator_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one = EncoderSpec().build(1, 7).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    two, other = EncoderSpec().build(1, 7).state_dict(), EncoderSpec().build(1, 8).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["head.0.weight"], other["head.0.weight"])
