"""An analysis with every documented table filled from a seeded generator, and one with none."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sleepsweep.results import ResultsTable
from sleepsweep_analysis.comparable import comparable, last_rows

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
LATEX_EVIL = '50% of a_b & c#d $x$ {y} ~z^2 \\input{/etc/passwd} 中 é\n% [1ex] "q"'
STAGES = ("W", "N1", "N2", "N3", "R")
VERDICTS = ("better", "worse", "practically equal", "cannot tell")

COLUMNS = {
    "effects": "augmentation category trials_with trials_without effect low high se p_best p "
    "p_holm verdict detectable",
    "categories": "category members trials_with effect low high se p_best p p_holm verdict "
    "best_member best_effect best_low best_high new_effect new_low new_high",
    "size_curve": "size reference trials difference low high se level level_low level_high p_best",
    "composition": "size augmentation category trials share",
    "interactions": "first second trials_both observed effect low high se p p_holm verdict",
    "doses": "augmentation quantity value effect low high",
    "optima": "augmentation quantity lowest highest trials optimum optimum_low optimum_high gain "
    "gain_low gain_high verdict",
    "covariates": "covariate kind value trials effect low high",
    "robustness": "covariate augmentation at_low at_high change low high p p_holm verdict",
    "crosschecks": "augmentation method effect low high n apart",
    "screen": "augmentation importance low high",
    "leaderboard": "rank policy size block trial macro_f1 low high subjects adjusted expected "
    "expected_low expected_high of group optimism",
    "confirmation": "rank policy settings size blocks score low high gain gain_low gain_high "
    "subjects verdict",
    "baselines": "policy blocks score low high",
    "stages": "augmentation stage effect low high",
    "variance": "component sd low high meaning",
    "runs_needed": "effect trials blocks",
    "fidelity": "rung step trials rho rho_low rho_high flips",
    "subjects": "subject best baseline difference epochs",
    "contrast": "best_trial baseline_trial block best_policy difference low high subjects",
    "sensitivity": "variant augmentation effect low high verdict holds",
}


@dataclass(frozen=True)
class Light:
    """A check as the report reads it."""

    code: str
    level: str
    sentence: str
    effect: str
    refuses: tuple[str, ...] = ()


LIGHTS = (
    Light("ONE_SPLIT", "red", "All trials share one subject split.", "These subjects only."),
    Light("WINNER", "amber", "The best of 52 trials, none confirmed.", "Optimistic by 1.4 points.",
          ("best",)),
    Light("PLACEBO", "green", "The placebo's interval (−0.3 to +0.2) covers 0, as it must.", ""),
)  # fmt: skip


def _bounds(rng: np.random.Generator, effect: Any, width: float = 0.8) -> dict[str, Any]:
    effect = np.asarray(effect, dtype=float)
    half = width * rng.uniform(0.6, 1.4, effect.shape)
    return {"effect": effect, "low": effect - half, "high": effect + half}


def _decided(low: Any, high: Any) -> list[str]:
    return ["better" if a > 0 else "worse" if b < 0 else
            "practically equal" if a > -0.5 and b < 0.5 else "cannot tell"
            for a, b in zip(low, high, strict=True)]  # fmt: skip


def _tested(rng: np.random.Generator, count: int, scale: float, width: float) -> pd.DataFrame:
    frame = pd.DataFrame(_bounds(rng, rng.normal(0, scale, count), width))
    p = np.exp(-np.abs(frame["effect"]) * 4)
    return frame.assign(se=width / 2, p_best=rng.dirichlet(np.ones(count)), p=p,
                        p_holm=np.minimum(p * count, 1),
                        verdict=_decided(frame["low"], frame["high"]))  # fmt: skip


def _model_tables(rng: np.random.Generator, pool: dict[str, str]) -> dict[str, pd.DataFrame]:
    names, groups = list(pool), list(dict.fromkeys(pool.values()))
    effects = _tested(rng, len(names), 1.2, 0.7)
    effects.insert(0, "augmentation", names)
    effects = effects.assign(category=list(pool.values()), trials_with=40, trials_without=60,
                             detectable=rng.uniform(0.5, 1.1, len(names)))  # fmt: skip
    categories = _tested(rng, len(groups), 0.9, 0.6).assign(category=groups, members=3,
                                                           trials_with=70)  # fmt: skip
    for prefix, width in (("best", 0.9), ("new", 1.8)):
        found = _bounds(rng, categories["effect"] + (0.5 if prefix == "best" else 0), width)
        for key, values in found.items():
            categories[f"{prefix}_{key}"] = values
    categories["best_member"] = [next(n for n in names if pool[n] == c) for c in groups]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]
             if "placebo" not in (pool[a], pool[b])]  # fmt: skip
    inter = _tested(rng, max(len(pairs), 1), 0.35, 0.5).head(len(pairs))
    seen = rng.random(len(pairs)) > 0.12
    both = np.where(seen, rng.integers(1, 20, len(pairs)), 0)
    inter = inter.assign(first=[a for a, _ in pairs], second=[b for _, b in pairs], observed=seen,
                         trials_both=both)  # fmt: skip
    order = {"ascending": False, "ignore_index": True}
    return {
        "effects": effects.sort_values("effect", **order),
        "categories": categories.sort_values("effect", **order),
        "interactions": inter,
    }


def _size_tables(rng: np.random.Generator, pool: dict[str, str]) -> dict[str, pd.DataFrame]:
    k = np.arange(0, 7)
    bounds = pd.DataFrame(_bounds(rng, 2 * (1 - np.exp(-k / 2)) - 0.04 * k**2, 0.9))
    bounds.iloc[0] = 0.0
    level = 62 + bounds["effect"]
    curve = bounds.rename(columns={"effect": "difference"}).assign(
        size=k, reference=0, trials=rng.integers(4, 24, 7), se=0.4, level=level,
        level_low=level - 1.5, level_high=level + 1.5, p_best=rng.dirichlet(np.ones(7)),
    )  # fmt: skip
    rows = [
        (int(s), n, c, 12, float(np.clip(s / len(pool) + rng.normal(0, 0.08), 0, 1)) * bool(s))
        for s in k for n, c in pool.items()
    ]  # fmt: skip
    mix = pd.DataFrame(rows, columns=["size", "augmentation", "category", "trials", "share"])
    return {"size_curve": curve, "composition": mix}


def _dose_tables(rng: np.random.Generator, names: list[str]) -> dict[str, pd.DataFrame]:
    doses, optima = [], []
    for n, name in enumerate(names[:9]):
        for quantity in ("severity", "p")[: 1 + n % 2]:
            x = np.linspace(0.05, 1, 21)
            verdict = ("optimum", "flat", "cannot tell")[n % 3]
            known = {"optimum": -6 * (x - 0.4) ** 2 + 0.6, "flat": 0.2 * (x - 0.5)}
            y = known.get(verdict, x - 0.5)
            half = {"optimum": 0.4, "flat": 0.3}.get(verdict, 1.4)
            doses.append(
                pd.DataFrame(
                    {
                        "augmentation": name,
                        "quantity": quantity,
                        "value": x,
                        "effect": y,
                        "low": y - half,
                        "high": y + half,
                    }
                )
            )
            optima.append((name, quantity, 0.05, 1.0, 41, 0.4, 0.28, 0.55, 0.6, 0.1, 1.1, verdict))
    robust = _tested(rng, 8, 0.6, 0.6).rename(columns={"effect": "change"}).assign(
        covariate="pretrain.temperature", augmentation=names[:8], at_low=0.4,
        verdict=["changes", "cannot tell", "practically equal", *["cannot tell"] * 5][:8],
    ) if len(names) >= 8 else None  # fmt: skip
    covariates = pd.DataFrame({
        "covariate": ["pretrain.temperature"] * 3, "kind": ["number"] * 3,
        "value": ["0.05", "0.1", "0.5"], "trials": [30, 40, 30],
        "effect": [0.0, 0.4, -1.9], "low": [0.0, -0.3, -2.7], "high": [0.0, 1.1, -1.1],
    })  # fmt: skip
    tables = {"doses": pd.concat(doses), "covariates": covariates,
              "optima": pd.DataFrame(optima, columns=COLUMNS["optima"].split())}  # fmt: skip
    if robust is not None:
        tables["robustness"] = robust.assign(at_high=robust["at_low"] + robust["change"])
    return tables


def _check_tables(rng: np.random.Generator, effects: pd.DataFrame) -> dict[str, pd.DataFrame]:
    crosses, stages, variants = [], [], []
    for row in effects.itertuples():
        for method, width in (("anchors", 1.5), ("pairs", 1.9), ("plain", 1.0)):
            value = row.effect + rng.normal(0, width / 3)
            crosses.append(
                (
                    row.augmentation,
                    method,
                    value,
                    value - width,
                    value + width,
                    25,
                    bool(rng.random() < 0.08),
                )
            )
        for stage in STAGES:
            value = row.effect * rng.uniform(0, 2)
            stages.append((row.augmentation, stage, value, value - 1, value + 1))
        for variant in (
            "accuracy",
            "kappa",
            "without split 2",
            "priors halved",
            "priors doubled",
            "designed trials only",
            "without collapsed",
        ):
            holds = bool(rng.random() > 0.1)
            variants.append(
                (
                    variant,
                    row.augmentation,
                    row.effect,
                    row.low,
                    row.high,
                    row.verdict if holds else "cannot tell",
                    holds,
                )
            )
    importance = np.sort(rng.uniform(0, 1.5, len(effects)))[::-1]
    screen = pd.DataFrame({"augmentation": effects["augmentation"], "importance": importance})
    return {
        "crosschecks": pd.DataFrame(crosses, columns=COLUMNS["crosschecks"].split()),
        "stages": pd.DataFrame(stages, columns=COLUMNS["stages"].split()),
        "sensitivity": pd.DataFrame(variants, columns=COLUMNS["sensitivity"].split()),
        "screen": screen.assign(low=screen["importance"] - 0.2, high=screen["importance"] + 0.2),
    }


def _policy_tables(rng: np.random.Generator, trials: pd.DataFrame) -> dict[str, pd.DataFrame]:
    top = trials[trials["decision"] == "done"].sort_values("macro_f1", ascending=False).head(10)
    score = 100 * top["macro_f1"].to_numpy()
    board = pd.DataFrame({
        **{key: top[key].tolist() for key in ("policy", "size", "block", "trial")},
        "rank": range(1, len(top) + 1), "macro_f1": score,
        "low": score - 3, "high": score + 3, "subjects": 5, "adjusted": score,
        "expected": score - 1.2, "expected_low": score - 2.4, "expected_high": score, "of": 52,
        "group": ["a", "ab", "b", *[""] * 7][: len(top)], "optimism": 1.3,
    })  # fmt: skip
    confirmation = pd.DataFrame(
        [(1, board["policy"].iloc[0], "", 3, 10, 68.1, 66.0, 70.2, 3.1, 1.9, 4.3, 12, "better"),
         (2, board["policy"].iloc[1], "", 2, 10, 67.2, 65.0, 69.4, 2.2, 0.9, 3.5, 12, "better"),
         (3, "TimeWarping", "", 1, 10, 65.6, 63.5, 67.7, 0.6, -0.6, 1.8, 12, "cannot tell")],
        columns=COLUMNS["confirmation"].split(),
    )  # fmt: skip
    baselines = pd.DataFrame(
        [
            ("baseline: with_labels", 3, 71.2, 66.0, 76.4),
            ("baseline: untrained", 1, 31.0, np.nan, np.nan),
        ],
        columns=COLUMNS["baselines"].split(),
    )
    people = pd.DataFrame({"subject": [f"subject {n:02d}" for n in range(12)],
                           "best": rng.normal(66, 5, 12), "epochs": 1030})  # fmt: skip
    people["difference"] = rng.normal(2, 2.2, 12)
    people["baseline"] = people["best"] - people["difference"]
    contrast = pd.DataFrame([(board["trial"].iloc[0], "t0000", 0, board["policy"].iloc[0], 2.1,
                              0.4, 3.8, 12)], columns=COLUMNS["contrast"].split())  # fmt: skip
    return {"leaderboard": board, "confirmation": confirmation, "baselines": baselines,
            "subjects": people, "contrast": contrast}  # fmt: skip


def _noise_tables() -> dict[str, pd.DataFrame]:
    variance = [("split", 1.43, 0.8, 2.6, "between blocks: who was in the split"),
                ("run", 0.64, 0.5, 0.8, "between runs of one policy within a block"),
                ("rerun", np.nan, np.nan, np.nan, "between reruns with the same seed"),
                ("category", 0.9, 0.3, 2.2, "between category means"),
                ("within", 0.5, 0.3, 0.9, "between augmentations of one category")]  # fmt: skip
    needs = [(0.5, 420.0, 36.0), (1.0, 130.0, 9.0), (2.0, 60.0, 4.0)]
    rungs = [(0, 250, 52, 0.55, 0.32, 0.72, 0.21), (1, 750, 52, 0.7, 0.5, 0.83, 0.14),
             (2, 2250, 52, 0.88, 0.79, 0.93, 0.07)]  # fmt: skip
    return {
        "variance": pd.DataFrame(variance, columns=COLUMNS["variance"].split()),
        "runs_needed": pd.DataFrame(needs, columns=COLUMNS["runs_needed"].split()),
        "fidelity": pd.DataFrame(rungs, columns=COLUMNS["fidelity"].split()),
    }


def _embedding(rng: np.random.Generator, count: int, umap: bool) -> SimpleNamespace:
    stage = rng.choice(5, count, p=[0.35, 0.11, 0.35, 0.07, 0.12])
    centres = np.array([[4, 0], [1, 2], [-2, 1], [-4, -2], [1, -3]], dtype=float)
    points = centres[stage] + rng.normal(0, 1.2, (count, 2))
    return SimpleNamespace(
        embedding=rng.normal(0, 1, (count, 8)), stage=stage, pca=points,
        subject=np.array([f"s{n % 12}" for n in range(count)]),
        umap=points @ np.array([[0.0, 1.0], [1.0, 0.3]]) if umap else None,
        knn_stage=0.71, knn_subject=0.32, chance_subject=0.09,
    )  # fmt: skip


def fill(table: ResultsTable, seed: int = 0, **changes: Any) -> SimpleNamespace:
    """An analysis of `table` whose model tables are random; `changes` replace fields."""
    rng = np.random.default_rng([3, seed])
    chosen, trials = comparable(table), last_rows(table)
    pool = dict(table.study.categories)
    model = _model_tables(rng, pool)
    tables = {
        **model, **_size_tables(rng, pool), **_dose_tables(rng, list(pool)),
        **_check_tables(rng, model["effects"]), **_policy_tables(rng, trials), **_noise_tables(),
    }  # fmt: skip
    tables = {key: frame[COLUMNS[key].split()] for key, frame in tables.items()}
    lights = changes.pop("checks", LIGHTS)
    confusion = rng.integers(5, 60, (5, 5)) + np.diag([900, 150, 900, 200, 300])
    fields = {
        "table": table, "chosen": chosen, "trials": trials, "seed": seed, "checks": lights,
        "refused": {claim: light.effect for light in lights for claim in light.refuses},
        "check": lambda code: next((one for one in lights if one.code == code), None),
        "confusions": {"best": confusion, "baseline": confusion[::-1, ::-1]},
        "representations": {"best": _embedding(rng, 1500, True),
                            "baseline": _embedding(rng, 800, False)},
        **tables, **changes,
    }  # fmt: skip
    return SimpleNamespace(**fields)


def empty(table: ResultsTable) -> SimpleNamespace:
    """An analysis of `table` with no row in any model table."""
    frames = {
        key: pd.DataFrame(columns=names.split(), dtype=float) for key, names in COLUMNS.items()
    }
    return fill(table, **frames, confusions={}, representations={})


@pytest.fixture
def filled() -> Callable[..., SimpleNamespace]:
    """Analyses with every table filled."""
    return fill


@pytest.fixture
def hollow() -> Callable[..., SimpleNamespace]:
    """Analyses with every table empty."""
    return empty


@pytest.fixture
def table(world, sweep) -> ResultsTable:
    """A simulated sweep of 60 trials."""
    return sweep(world(1), trials=60, blocks=4, seed=1)


@pytest.fixture
def columns() -> dict[str, list[str]]:
    """The documented columns of every table."""
    return {key: names.split() for key, names in COLUMNS.items()}
