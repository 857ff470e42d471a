"""The YAML's ``encoder``. Apart from encoders, which are modules of torch's and import it."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from sleepsweep.errors import UserError
from sleepsweep.part import PartSpec
from sleepsweep.torchlater import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from sleepsweep.learn.encoders import Encoder

DEFAULT = "SimpleSleepNet"
# 30 s at 100 Hz.
SAMPLES = 3000


def is_path(name: str) -> bool:
    """Whether a name is written like the dotted path of a class."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def _is_known(name: str) -> str:
    # The one of most search spaces is known without torch, which takes longer than the rest of
    # them to be checked.
    if name != DEFAULT and not is_path(name):
        from sleepsweep.learn.encoders import ENCODERS

        try:
            ENCODERS.checked(name)
        except ValueError as error:
            raise ValueError(
                f"{error} A class of your own is named by its path: package.module.ClassName"
            ) from error
    return name


class EncoderSpec(PartSpec):
    """The YAML's ``encoder``: which network, how wide its embedding, how much dropout."""

    name: Annotated[str, AfterValidator(_is_known)] = DEFAULT
    """A known one, or the path ``package.module.ClassName`` of a `torch.nn.Module` of yours."""
    latent_dim: Annotated[int, Field(ge=2, le=4096)] = 128
    """How many dimensions an embedding has."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """The rate of dropout in the encoder."""

    def build(self, channels: int, weights_seed: int, samples: int = SAMPLES) -> "Encoder":
        """Return the encoder with weights drawn from `weights_seed` alone.

        It is tried on a few epochs of `samples` samples. Raises `UserError` for a class of the
        user's that cannot be imported or does not map them to (batch, latent_dim).
        """
        from sleepsweep.learn.encoders import ENCODERS, Encoder
        from sleepsweep.learn.encoders.foreign import Foreign, class_at

        kind = class_at(self.name) if is_path(self.name) else ENCODERS.get(self.name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(weights_seed)
            network = kind(channels=channels, latent_dim=self.latent_dim, dropout=self.dropout)
            self._try(network, torch.randn(2, channels, samples))
        return network if isinstance(network, Encoder) else Foreign(network, self.latent_dim)

    def _try(self, network: "nn.Module", epochs: "Tensor") -> None:
        wanted = (len(epochs), self.latent_dim)
        try:
            with torch.no_grad():
                features = network.eval()(epochs)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise UserError(
                f"encoder {self.name}: fails on epochs {tuple(epochs.shape)}: {error}"
            ) from error
        network.train()
        if not isinstance(features, torch.Tensor) or features.shape != wanted:
            given = tuple(features.shape) if isinstance(features, torch.Tensor) else type(features)
            raise UserError(
                f"encoder {self.name}: maps epochs {tuple(epochs.shape)} to {given}; embeddings "
                f"are {wanted}, as encoder.latent_dim is {self.latent_dim}."
            )
