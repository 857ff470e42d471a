"""A small simulator of sweeps with planted truth (noise as in the published study's logs)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sleepsweep.results import CONFUSION_CELLS, ResultsTable, StudyInfo, macro_f1

Matrix = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _one_thread():
    """As `analyse` does: small matrices lose time when BLAS shares them out."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


CATEGORIES = {
    "RandomAmplitudeScaling": "amplitude", "RandomDCShift": "amplitude", "SignFlip": "amplitude",
    "RandomBandStopFilter": "frequency", "TailoredMixup": "frequency",
    "CutoutResize": "masking", "RandomZeroMasking": "masking",
    "AverageFiltering": "noise", "RandomAdditiveGaussianNoise": "noise",
    "TimeReversal": "temporal", "TimeWarping": "temporal", "Permutation": "temporal",
    "RandomTimeShift": "temporal", "Placebo": "placebo",
}  # fmt: skip
MEANS = {
    "amplitude": 0.3, "frequency": 1.4, "masking": -0.3, "noise": -1.0, "temporal": 1.1,
    "placebo": 0.0,
}  # fmt: skip
STEPS = (250, 750, 2250, 6750)
EARLY = np.array([-9.0, -5.0, -2.0, 0.0])
K = 6


@dataclass(frozen=True)
class World:
    """Planted truth: effects (J,), pair terms (J, J), curve over effective size, early tilts."""

    effects: Matrix
    pairs: Matrix
    curve: Matrix
    tilts: Matrix
    names: tuple[str, ...] = field(default=tuple(CATEGORIES))

    def value(self, on: Matrix, rung: int) -> float:
        real = int(on.sum() - on[self.names.index("Placebo")])
        pairs = 0.5 * on @ self.pairs @ on
        return float(on @ self.effects + pairs + self.curve[real] + on @ self.tilts[rung])

    def augmentation_truth(self) -> Matrix:
        """Mean change when each is added to a set, size after adding uniform on 1..K."""
        J, steps = len(self.names), np.diff(self.curve)
        after = np.arange(1, K + 1)
        other = (after - 1) / (J - 1)
        before = np.concatenate([[0.0], steps[: K - 1]])
        rise = float(np.mean(other * before + (1 - other) * steps[:K]))
        real = np.array([name != "Placebo" for name in self.names])
        return np.asarray(self.effects + other.mean() * self.pairs.sum(axis=1) + rise * real)

    def category_truth(self) -> dict[str, float]:
        truth = self.augmentation_truth()
        return {
            c: float(truth[[CATEGORIES[n] == c for n in self.names]].mean())
            for c in dict.fromkeys(CATEGORIES.values())
        }

    def size_truth(self) -> Matrix:
        """m(k) − m(0) for k = 0..K."""
        J, k = len(self.names), np.arange(K + 1)
        pairs = 0.5 * self.pairs.sum() * k * (k - 1) / (J * (J - 1))
        below = np.concatenate([[0.0], self.curve[:K]])
        curve = k / J * below + (1 - k / J) * self.curve[: K + 1]
        return np.asarray(self.effects.mean() * k + pairs + curve - self.curve[0])


def make_world(seed: int, *, effects: bool = True) -> World:
    rng = np.random.default_rng([7, seed])
    J, k = len(CATEGORIES), np.arange(len(CATEGORIES) + 1)
    if not effects:
        return World(np.zeros(J), np.zeros((J, J)), np.zeros(J + 1), np.zeros((4, J)))
    real = np.array([name != "Placebo" for name in CATEGORIES])
    b = (np.array([MEANS[c] for c in CATEGORIES.values()]) + rng.normal(0, 0.4, J)) * real
    upper = np.triu(rng.normal(0, 0.25, (J, J)), 1) * np.outer(real, real)
    curve = 2.0 * (1 - np.exp(-k / 2)) - 0.06 * k**2
    tilts = rng.normal(0, 0.6, J) * real * np.array([1.0, 0.6, 0.3, 0.0])[:, None]
    return World(b, upper + upper.T, curve, tilts)


def _policies(rng: np.random.Generator, trials: int, designs: bool) -> list[tuple[str, Matrix]]:
    J = len(CATEGORIES)
    fixed = [("design", np.zeros(J)), *(("design", row) for row in np.eye(J))] if designs else []
    drawn: list[tuple[str, Matrix]] = []
    for n in range(max(trials - len(fixed), 0)):
        on = np.zeros(J)
        on[rng.choice(J, rng.integers(1, K + 1), replace=False)] = 1.0
        drawn.append(("anchor" if n % 10 < 3 else "search", on))
    return [*fixed, *drawn]


def _stops(board: dict[tuple[int, int], list[float]], key: tuple[int, int], score: float) -> bool:
    seen = board.setdefault(key, [])
    seen.append(score)
    return score < np.quantile(seen, 2 / 3)


def make_confusion(rng: np.random.Generator, accuracy: float) -> list[int]:
    counts = rng.multinomial(400, [0.35, 0.11, 0.35, 0.07, 0.12])
    rates = np.full((5, 5), (1 - accuracy) / 4) + np.eye(5) * (accuracy - (1 - accuracy) / 4)
    return [int(n) for stage in range(5) for n in rng.multinomial(counts[stage], rates[stage])]


def simulate(
    world: World, *, trials: int = 80, blocks: int = 4, rungs: int = 4, seed: int = 0,
    designs: bool = True, asha: bool = True, subjects: int = 0, **study: Any,
) -> ResultsTable:  # fmt: skip
    """A sweep: random policies, ASHA within blocks on recorded values, 30 % anchors."""
    rng = np.random.default_rng([11, seed])
    level, board = 60.0 + rng.normal(0, 1.43, blocks), {}
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for order, (kind, on) in enumerate(_policies(rng, trials, designs)):
        block, run = order % blocks, rng.normal(0, 0.64) + on @ rng.normal(0, 0.25, len(on))
        slow = 0.0 if not world.tilts.any() else 1.0
        for rung in range(4 - rungs, 4):
            noise = run + rng.normal(0, 0.22) + (rung < 3) * rng.normal(0, 0.3 + 0.3 * slow)
            score = level[block] + EARLY[rung] + world.value(on, rung) + noise
            stop = _stops(board, (block, rung), score) and asha and kind == "search"
            done = rung == 3
            decision = "done" if done else "stop" if stop else "continue"
            rows.append(_row(order, kind, block, rung, score, on, decision))
            if done or stop:
                people += _people(rng, rows[-1], subjects)
                break
    info = {"name": "simulated", "categories": CATEGORIES, "sizes": (0, K), "steps": STEPS[-1],
            "planned_trials": trials, "sampler": "random", "goal": "rank"}  # fmt: skip
    return ResultsTable.of_rows(rows, people, StudyInfo(**{**info, **study}))


def _row(
    order: int, kind: str, block: int, rung: int, score: float, on: Matrix, decision: str
) -> dict[str, Any]:
    names = [name for name, used in zip(CATEGORIES, on, strict=True) if used]
    f1 = {f"f1.{stage}": score / 100 for stage in ("W", "N1", "N2", "N3", "R")}
    return {
        "sweep": "simulated", "trial": f"t{order:04d}", "order": order, "kind": kind,
        "design": "uniform", "block": block, "split": block, "seed": 0,
        "policy": " + ".join(names) or "none", "size": len(names), "p_sum": float(len(names)),
        **{f"on.{name}": True for name in names},
        "rung": rung, "step": STEPS[rung], "last": decision != "continue", "decision": decision,
        "bracket": 0, "accuracy": score / 100, "macro_f1": score / 100, "kappa": score / 130, **f1,
        "loss": 1.0, "steps_trained": STEPS[rung], "time_s": 0.05 * STEPS[rung], "host": "host",
        "device": "cpu", "version": "0.1.0", "data_hash": "d0", "split_hash": f"s{block}",
        "selected_on": "validation", "split_from": "block", "batch_size": 256, "stop_rule": "asha",
    }  # fmt: skip


def _people(rng: np.random.Generator, row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Confusion matrices whose pooled macro-F1 is about, and then becomes, that of the row."""
    accuracy = float(np.interp(row["macro_f1"], [0.45, 0.55, 0.65, 0.75], [0.5, 0.6, 0.71, 0.8]))
    cells = np.array([make_confusion(rng, accuracy + rng.normal(0, 0.04)) for _ in range(count)])
    if count:
        row["macro_f1"] = macro_f1(cells.sum(axis=0).reshape(5, 5))
    return [
        {"trial": row["trial"], "rung": row["rung"], "subject": f"subject {n:02d}",
         **dict(zip(CONFUSION_CELLS, map(int, person), strict=True))}
        for n, person in enumerate(cells)
    ]  # fmt: skip


@pytest.fixture
def world() -> Callable[..., World]:
    """World of planted effects by seed; `effects=False` has none."""
    return make_world


@pytest.fixture
def sweep() -> Callable[..., ResultsTable]:
    """Simulator of one sweep in a world."""
    return simulate
