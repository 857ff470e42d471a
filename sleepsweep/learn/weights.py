"""The weights of a network as a safetensors file, with a few texts beside them.

Such a file is a header of plain JSON and raw numbers (https://github.com/huggingface/safetensors):
there is nothing in it that could be run.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from sleepsweep.errors import UserError
from sleepsweep.replacing import replacing

Weights = dict[str, Tensor]


def save_weights(weights: Mapping[str, Tensor], texts: Mapping[str, str], path: Path) -> None:
    """Write tensors by name, and texts by name into the header, whole or not at all.

    The order of several texts is safetensors' own, and no two files need have the same.

    Raises `UserError` for a network that keeps something else than tensors.
    """
    from safetensors.torch import save

    others = [name for name, value in weights.items() if not isinstance(value, Tensor)]
    if others:
        raise UserError(
            f"{path}: the network keeps {', '.join(others)}, which is no tensor, and a model file "
            "holds tensors only. Register it as a buffer, or make it anew when the network is made."
        )
    # Each a copy of its own: one that two layers share is written for both.
    apart = {name: value.detach().cpu().clone().contiguous() for name, value in weights.items()}
    with replacing(path) as partial:
        # Its own `save_file` makes a file that nobody but its owner may read.
        partial.write_bytes(save(apart, dict(texts)))


def load_weights(path: Path) -> tuple[Weights, dict[str, str]]:
    """Read what `save_weights` wrote: the tensors, in the memory of the CPU, and the texts.

    Raises `UserError` for a file that is missing, damaged or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise UserError(f"{path}: no such file.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise UserError(
            f"{path}: is no safetensors file, or a damaged one ({error}); nothing of it was run. "
            "Models are written by sleepsweep train; fetch or train it again."
        ) from error
