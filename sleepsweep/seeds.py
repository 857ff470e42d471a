"""Random streams derived from named axes: no global seed, no stored generator.

A stream belongs to the axes it depends on, e.g. ``stream("batches", split=1, seed=3)``. Two trials
that share the axes share the draws, whatever else differs and in whatever order they run, and a
resumed trial continues exactly where it was.
"""

import hashlib

import numpy as np

Axis = int | str


def stream(purpose: str, **axes: Axis) -> int:
    """Return a 63-bit seed that depends on `purpose` and on every named axis, and on nothing else.

    The order in which axes are given does not matter; ``1`` and ``"1"`` are different values.
    """
    text = "\x1f".join([purpose, *(f"{name}={axes[name]!r}" for name in sorted(axes))])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(purpose: str, **axes: Axis) -> np.random.Generator:
    """Return a NumPy generator at the start of the stream of `purpose` and `axes`."""
    return np.random.default_rng(stream(purpose, **axes))
