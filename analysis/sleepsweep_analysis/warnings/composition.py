"""SIZE_COMPOSITION: sets of different sizes are made of different augmentations."""

import numpy as np
from numpy.typing import NDArray

from sleepsweep_analysis.warnings.check import Check, Evidence, listed

__all__ = ["composition", "size_composition", "surprise"]

Matrix = NDArray[np.float64]

APART = 0.20
"""Largest difference between sizes of an augmentation's share, beyond k/J, that is let pass."""

FEWEST = 5
"""Sets of one size from which a share of it is a share."""

LEVEL = 0.02
DRAWS = 199


def size_composition(seen: Evidence) -> Check | None:
    """SIZE_COMPOSITION: an augmentation's share differs by over 20 points between sizes.

    A uniform draw of k of J gives a share of k/J, which grows with k, so the share is taken minus
    k/J. It also scatters, the more the fewer sets there are of a size: the differences count where
    the shares scatter more than in uniform sweeps of the same sizes (`surprise`). A policy that
    ran in several blocks is one draw; augmentations that were in no set or in all were not drawn,
    and count for nothing; a size of fewer than five sets has no share.
    """
    names, sets, sizes = composition(seen)
    if sets.shape[1] < 2 or len(np.unique(sizes[sizes > 0])) < 2:
        return None
    apart = _differences(sets, sizes)
    worst = float(apart.max())
    if worst <= APART or surprise(sets, sizes) > LEVEL:
        text = "Sets of each size are made of the same augmentations, but for the luck of the draw."
        return Check("SIZE_COMPOSITION", "green", text, "")
    order = [int(j) for j in np.argsort(-apart, kind="stable") if apart[j] > APART]
    text = f"Sizes differ in what they are made of: the share of {names[order[0]]} differs by "
    text += f"{100 * worst:.0f} points more than the sizes do"
    others = f", that of {listed(names[j] for j in order[1:])} by over 20" if order[1:] else ""
    effect = "Raw means by size are those of other augmentations; only the model's curve is shown."
    return Check("SIZE_COMPOSITION", "amber", f"{text}{others}.", effect)


def composition(seen: Evidence) -> tuple[list[str], Matrix, NDArray[np.int64]]:
    """The real augmentations that were drawn, (J,), the distinct policies, (n, J), their sizes."""
    rows = seen.chosen.one_a_trial
    drawn = [name for name in seen.chosen.real if rows[f"on.{name}"].nunique() > 1]
    switches = [f"on.{name}" for name in drawn]
    settings = [str(c) for c in rows if str(c).startswith(("severity.", "p."))]
    sets = rows.drop_duplicates(["policy", *switches, *settings])[switches].to_numpy(dtype=float)
    return drawn, sets, sets.sum(axis=1).astype(np.int64)


def surprise(sets: Matrix, sizes: NDArray[np.int64]) -> float:
    """P-value of the shares by size under uniform draws of each size (Monte Carlo).

    Of two statistics, Bonferroni's: the scatter of all shares together, which sees that the same
    sets come again and again, and the largest of one augmentation (whose distribution is that of
    the largest, so the family is corrected for; Westfall & Young 1993).
    """
    found = _scatter(sets, sizes)
    generator = np.random.default_rng(0)
    drawn = (_uniform(generator, sizes, sets.shape[1]) for _ in range(DRAWS))
    null = np.array([_scatter(uniform, sizes) for uniform in drawn])
    as_far = ((null >= found - 1e-9).sum(axis=0) + 1) / (DRAWS + 1)
    return float(min(1.0, 2.0 * as_far.min()))


def _uniform(generator: np.random.Generator, sizes: NDArray[np.int64], count: int) -> Matrix:
    """A uniform subset of each size: the first k of a random order."""
    ranks = generator.random((len(sizes), count)).argsort(axis=1).argsort(axis=1)
    return np.asarray(ranks < sizes[:, None], dtype=float)


def _shares(sets: Matrix, sizes: NDArray[np.int64]) -> tuple[Matrix, Matrix, Matrix]:
    """Sets of each size (S,), their expected share k/J (S,), and shares minus it (S, J)."""
    levels = np.unique(sizes)
    member = (sizes[:, None] == levels).astype(float)
    counts = member.sum(axis=0)
    expected = levels / sets.shape[1]
    return counts, expected, member.T @ sets / counts[:, None] - expected[:, None]


def _scatter(sets: Matrix, sizes: NDArray[np.int64]) -> Matrix:
    """Sum and largest over augmentations of Σ_k n_k (share − k/J)² / (k/J)(1 − k/J)."""
    counts, expected, beyond = _shares(sets, sizes)
    free = (expected > 0) & (expected < 1)
    weights = counts[free] / (expected[free] * (1 - expected[free]))
    each = weights @ beyond[free] ** 2
    return np.array([each.sum(), each.max()])


def _differences(sets: Matrix, sizes: NDArray[np.int64]) -> Matrix:
    """Largest difference between two sizes of each augmentation's share beyond k/J, (J,)."""
    counts, _, beyond = _shares(sets, sizes)
    enough = beyond[counts >= FEWEST]
    return np.asarray(np.ptp(enough, axis=0)) if len(enough) else np.zeros(sets.shape[1])
