"""Groups of policies that a blocked analysis of variance cannot tell apart.

score = policy + block + noise, by least squares over the policies that ran in two blocks or more;
pairs by Tukey and Kramer's studentised range (Kramer 1956, Biometrics 12:307–310), which holds the
family-wise error of all pairs at 5 %.
"""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["letters", "pairwise"]

LEVEL = 0.05
MOST = 26


def letters(scores: pd.DataFrame) -> dict[str, str]:
    """Letters of each policy of `scores` (policy, block, adjusted): equal ones are not told apart.

    Policies that ran in one block only, and everything where there is no noise to compare with,
    have none.
    """
    means, apart = pairwise(scores)
    runs: list[range] = []
    for i in range(len(means)):
        end = i + 1
        while end < len(means) and not apart[i:end, end].any():
            end += 1
        if not runs or end > runs[-1].stop:
            runs.append(range(i, end))
    named = list(zip(ascii_lowercase, runs, strict=False))
    return {
        str(policy): "".join(letter for letter, run in named if i in run)
        for i, policy in enumerate(means.index)
    }


def pairwise(scores: pd.DataFrame) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Means of the policies, best first, and which pairs are told apart, (m, m).

    Policies that no chain of shared blocks links cannot be compared, and are not told apart.
    """
    counts = scores.groupby("policy")["block"].nunique()
    rows = scores[scores["policy"].isin(counts.index[counts > 1])]
    means = rows.groupby("policy")["adjusted"].mean().sort_values(ascending=False).head(MOST)
    rows = rows[rows["policy"].isin(means.index)]
    m, free = len(means), len(rows) - len(means) - rows["block"].nunique() + 1
    if m < 2 or free < 1:
        return means.iloc[:0], np.zeros((0, 0), dtype=bool)
    X = np.hstack([
        rows["policy"].to_numpy()[:, None] == means.index.to_numpy()[None, :],
        rows["block"].to_numpy()[:, None] == np.unique(rows["block"])[None, 1:],
    ]).astype(float)  # fmt: skip
    inverse = np.linalg.pinv(X.T @ X)
    y = rows["adjusted"].to_numpy(dtype=float)
    fitted = inverse @ X.T @ y
    noise = max(float(((y - X @ fitted) ** 2).sum()) / free, 1e-12)
    variance = np.diag(inverse)[:m]
    variance = noise * (variance[:, None] + variance[None, :] - 2 * inverse[:m, :m])
    distance = np.abs(fitted[:m, None] - fitted[None, :m])
    from scipy.stats import studentized_range

    limit = float(studentized_range.isf(LEVEL, m, free))
    # Their difference is then no combination of the rows: least squares would only make one up.
    lost = (inverse @ X.T @ X - np.eye(X.shape[1]))[:, :m]
    linked = np.abs(lost[:, :, None] - lost[:, None, :]).max(axis=0) < 1e-8
    return means, linked & (distance > limit * np.sqrt(variance / 2))
