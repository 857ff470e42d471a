"""How other packages compute here: with the same result every time, and without talking."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from sleepsweep.seeds import stream


@contextmanager
def quietly() -> Iterator[None]:
    """Compute on one thread, and keep to ourselves what scikit-learn and UMAP warn of.

    Threads add in the order in which they finish, and t-SNE magnifies the last digit. What is
    warned of (few epochs, few distinct ones) has a defined result here.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def random_state(purpose: str, seed: int) -> int:
    """Return a seed as scikit-learn and UMAP take it."""
    return stream(purpose, seed=seed) % 2**32
