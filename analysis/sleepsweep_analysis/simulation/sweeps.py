"""One simulated sweep of a world: random sets, size first, and ASHA within blocks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepsweep.results import CONFUSION_CELLS, ResultsTable, StudyInfo, macro_f1
from sleepsweep_analysis.simulation.world import CATEGORIES, NO_DIAL, STEPS, K, World

__all__ = ["simulate"]

Matrix = NDArray[np.float64]

SPLIT_SD, RUN_SD, RERUN_SD, EARLY_SD = 1.43, 0.64, 0.22, 0.45
LEVELS = 60.0 + np.array([-9.0, -5.0, -2.0, 0.0])
"""Mean score at each rung."""

EPOCHS, STAGE_SHARES = 400, (0.35, 0.11, 0.35, 0.07, 0.12)


def simulate(
    world: World, *, trials: int = 80, blocks: int = 4, rungs: int = 4, seed: int = 0,
    anchors: float = 0.25, designs: bool = True, asha: bool = True, subjects: int = 0,
    **study: Any,
) -> ResultsTable:  # fmt: skip
    """A sweep of so many trials over paired blocks; the last `rungs` of four are reported.

    `designs` adds none and all singles to the count; a share of the drawn trials are `anchors`.
    With `subjects`, each trial's last rung has that many confusion matrices and their macro-F1,
    which adds the noise of their epochs.
    """
    rng = np.random.default_rng([11, seed])
    level = rng.normal(0, SPLIT_SD, blocks)
    board: dict[tuple[int, int], list[float]] = {}
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for order, (kind, on) in enumerate(_policies(rng, trials, anchors, designs=designs)):
        block, run = order % blocks, rng.normal(0, RUN_SD)
        severity = rng.uniform(0, 1, len(on)) if kind != "design" else np.full(len(on), 0.5)
        for rung in range(4 - rungs, 4):
            noise = run + rng.normal(0, RERUN_SD) + (rung < 3) * rng.normal(0, EARLY_SD)
            score = LEVELS[rung] + level[block] + world.value(on, severity, rung) + noise
            stop = _stops(board, (block, rung), score) and asha and kind == "search"
            decision = "done" if rung == 3 else "stop" if stop else "continue"
            rows.append(_row(order, kind, block, rung, score, on, severity, decision))
            if decision != "continue":
                people += _people(rng, rows[-1], subjects)
                break
    info = {"name": "simulated", "categories": CATEGORIES, "sizes": (0, K), "steps": STEPS[-1],
            "planned_trials": trials, "sampler": "random", "goal": "rank"}  # fmt: skip
    return ResultsTable.of_rows(rows, people, StudyInfo(**{**info, **study}))


def _policies(
    rng: np.random.Generator, trials: int, anchors: float, *, designs: bool
) -> list[tuple[str, Matrix]]:
    J = len(CATEGORIES)
    fixed = [("design", np.zeros(J)), *(("design", row) for row in np.eye(J))] if designs else []
    drawn: list[tuple[str, Matrix]] = []
    for n in range(max(trials - len(fixed), 0)):
        on = np.zeros(J)
        on[rng.choice(J, rng.integers(1, K + 1), replace=False)] = 1.0
        anchor = np.floor((n + 1) * anchors) > np.floor(n * anchors)
        drawn.append(("anchor" if anchor else "search", on))
    return [*fixed, *drawn]


def _stops(board: dict[tuple[int, int], list[float]], key: tuple[int, int], score: float) -> bool:
    """ASHA with a reduction factor of 3 (Li et al. 2020, MLSys): stop below the best third."""
    seen = board.setdefault(key, [])
    seen.append(score)
    return bool(score < np.quantile(seen, 2 / 3))


def _row(
    order: int, kind: str, block: int, rung: int, score: float, on: Matrix, severity: Matrix,
    decision: str,
) -> dict[str, Any]:  # fmt: skip
    used = {name: s for name, x, s in zip(CATEGORIES, on, severity, strict=True) if x}
    policy = " + ".join(_text(name, s) for name, s in used.items()) or "none"
    f1 = {f"f1.{stage}": score / 100 for stage in ("W", "N1", "N2", "N3", "R")}
    return {
        "sweep": "simulated", "trial": f"t{order:04d}", "order": order, "kind": kind,
        "design": "uniform", "block": block, "split": block, "seed": 0,
        "policy": policy, "size": len(used), "p_sum": float(len(used)),
        **{f"on.{name}": True for name in used},
        **{f"severity.{name}": s for name, s in used.items() if name not in NO_DIAL},
        "rung": rung, "step": STEPS[rung], "last": decision != "continue", "decision": decision,
        "bracket": 0, "accuracy": score / 100, "macro_f1": score / 100, "kappa": score / 130, **f1,
        "loss": 1.0, "steps_trained": STEPS[rung], "time_s": 0.05 * STEPS[rung], "host": "host",
        "device": "cpu", "version": "0.1.0", "data_hash": "d0", "split_hash": f"s{block}",
        "selected_on": "validation", "split_from": "block", "batch_size": 256, "stop_rule": "asha",
    }  # fmt: skip


def _text(name: str, severity: float) -> str:
    return name if name in NO_DIAL else f"{name} {severity:.3f}"


def _people(rng: np.random.Generator, row: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """Confusion matrices whose pooled macro-F1 is about, and then becomes, that of the row."""
    accuracy = float(np.interp(row["macro_f1"], [0.45, 0.55, 0.65, 0.75], [0.5, 0.6, 0.71, 0.8]))
    cells = np.array([_confusion(rng, accuracy + rng.normal(0, 0.04)) for _ in range(count)])
    if count:
        row["macro_f1"] = macro_f1(cells.sum(axis=0).reshape(5, 5))
    return [
        {"trial": row["trial"], "rung": row["rung"], "subject": f"subject {n:02d}",
         **dict(zip(CONFUSION_CELLS, map(int, person), strict=True))}
        for n, person in enumerate(cells)
    ]  # fmt: skip


def _confusion(rng: np.random.Generator, accuracy: float) -> list[int]:
    """The 25 cells of one person's night, errors spread evenly."""
    counts = rng.multinomial(EPOCHS, STAGE_SHARES)
    wrong = (1 - accuracy) / 4
    rates = np.full((5, 5), wrong) + np.eye(5) * (accuracy - wrong)
    return [int(n) for stage in range(5) for n in rng.multinomial(counts[stage], rates[stage])]
