"""Findings: every branch says what the numbers support, or that they cannot tell."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sleepsweep_analysis.words import (
    board,
    doses,
    effects,
    fidelity,
    interactions,
    noise,
    numbers,
    run,
    sensitivity,
    size,
    subjects,
    verdict_pairs,
)


def family(*verdicts: str, **columns) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"category": [f"c{n}" for n in range(len(verdicts))], "verdict": list(verdicts),
         "effect": 1.0, "low": 0.5, "high": 1.5, "p_best": 1 / max(len(verdicts), 1)}
    )  # fmt: skip
    return frame.assign(augmentation=[f"A{n}" for n in range(len(verdicts))], **columns)


@pytest.mark.parametrize(
    ("value", "signed", "points", "share", "p", "count"),
    [
        (1.26, "+1.3", "1.3", "126\u00a0%", "1.260", "1"),
        (-0.04, "0.0", "0.0", "<\u00a01\u00a0%", "< .001", "0"),
        (np.nan, "–", "–", "–", "–", "–"),
        (np.inf, "–", "–", "–", "–", "no number helps"),
    ],
)
def test_numbers(value, signed, points, share, p, count):
    assert numbers.signed(value) == signed
    assert numbers.points(value) == points
    assert numbers.share(value) == share
    assert numbers.p_value(value) == p
    assert numbers.count(value) == count


def test_intervals_lists_and_clauses():
    assert numbers.estimate(1.0, 0.5, 1.5) == "+1.0 (+0.5 to +1.5)"
    assert numbers.interval(0.5, 1.5) == "95\u00a0% interval +0.5 to +1.5"
    assert numbers.interval(np.nan, 1.5) == "no interval to be had"
    assert [numbers.listing(x) for x in ([], ["a"], ["a", "b"], "abc")] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
    assert numbers.plural(1, "trial") == "1 trial"
    assert numbers.plural(3000, "trial") == "3,000 trials"
    assert numbers.clause("Nothing is called best.") == "nothing is called best"
    assert numbers.clause("SignFlip is tied.") == "SignFlip is tied"
    assert numbers.shortened("a\nb " * 99).endswith("…")
    assert [numbers.duration(s) for s in (59, 3600, 7290)] == [
        "0 min 59 s",
        "1 h 0 min",
        "2 h 2 min",
    ]


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (("better", "worse", "cannot tell"), "Better: c0; worse: c1. For 1 of 3 it cannot tell."),
        (("practically equal",), "Practically equal: c0."),
        (("cannot tell", "cannot tell"), "cannot tell the effect of any category"),
        ((), "cannot tell the effect of any category"),
    ],
)
def test_a_family(verdicts, words):
    assert words in effects.family_finding(family(*verdicts), "category")


def test_the_largest_effect_is_named_only_when_it_is_sure():
    frame = family("better", "better", "cannot tell")
    assert "is open between c0, c1 and c2" in effects.best_finding(frame, "category")
    sure = frame.assign(p_best=[0.97, 0.02, 0.01])
    assert effects.best_finding(sure, "category").startswith("c0 has the largest effect")
    unsure = frame.assign(p_best=[0.9, 0.04, 0.04])
    assert effects.best_finding(unsure, "category").endswith("cannot tell.")
    assert effects.best_finding(frame.head(0), "category") == "No category was run."


def test_the_three_questions():
    frame = family("better", "cannot tell", best_member="M", best_low=[0.2, -1], new_low=[-1, -1])
    assert "M (c0)" in effects.new_finding(frame)
    assert effects.new_finding(frame).endswith("cannot tell.")
    assert "untried member of c0" in effects.new_finding(frame.assign(new_low=[0.1, -1]))
    assert "No category has a member" in effects.new_finding(frame.assign(best_low=-1))


def test_crosschecks_stages_and_screen():
    crosses = pd.DataFrame({"augmentation": "A", "method": ["x", "y"], "apart": [True, False]})
    assert "1 of 2 cross-checks" in effects.crosses_finding(crosses)
    assert "All 2" in effects.crosses_finding(crosses.assign(apart=False))
    assert "No cross-check" in effects.crosses_finding(crosses.head(0))
    stages = pd.DataFrame({"augmentation": "A", "stage": ["N1", "REM"], "effect": [2.0, 0.1],
                           "low": [1.0, -1.0], "high": [3.0, 1.0]})  # fmt: skip
    assert "A on N1: +2.0" in effects.stages_finding(stages)
    assert effects.stages_finding(stages.assign(low=-1, high=1)).endswith("cannot tell.")
    assert "not recorded" in effects.stages_finding(stages.head(0))
    screen = pd.DataFrame({"augmentation": ["A"], "importance": [1.0], "low": [0.5], "high": [2.0]})
    assert "no ranking" in effects.screen_finding(screen)
    assert "cannot tell" in effects.screen_finding(screen.assign(low=-1.0))
    assert effects.screen_finding(screen.head(0)) == "No screen was run."


def curve(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["difference", "low", "high"]).assign(
        size=range(len(rows)), p_best=1 / max(len(rows), 1)
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (((0, 0, 0), (1, 0.5, 1.5)), "Random sets of 1 score +1.0 points"),
        (((0, 0, 0), (-1, -1.5, -0.5)), "Few: random sets of 1 score −1.0 points"),
        (((0, 0, 0), (0.1, -0.2, 0.4)), "practically no difference"),
        (((0, 0, 0), (1, -0.5, 2.5)), "cannot tell"),
        (((0, 0, 0),), "cannot tell"),
        ((), "cannot tell"),
    ],
)
def test_size(rows, words):
    assert words in size.size_finding(curve(*rows))


def test_composition():
    even = pd.DataFrame({"size": [1, 1, 2, 2], "augmentation": ["A", "B"] * 2, "share": 0.5})
    assert "about the same mix" in size.composition_finding(even)
    uneven = even.assign(share=[0.5, 0.5, 1.0, 0.2])
    assert "100\u00a0% of the trials of size 2 contain A" in size.composition_finding(uneven)
    assert "Only one size" in size.composition_finding(even.head(2))
    assert size.composition_finding(even.head(0)) == "No size was run."


def test_flow_drift_and_aliases():
    trials = pd.DataFrame({"decision": ["done", "stop", "stop"], "block": [0, 0, 1]})
    assert run.flow_finding(trials) == "3 trials in 2 blocks: 1 finished and 2 stopped early."
    steady = pd.DataFrame({"augmentation": "A", "part": range(1, 7), "share": 0.5, "trials": 20})
    assert "stayed the same" in run.drift_finding(steady)
    chased = steady.assign(share=[0.1, 0.1, 0.4, 0.6, 0.9, 0.9])
    assert "most for A: in 10\u00a0% of the first trials, in 90\u00a0% of the last" in (
        run.drift_finding(chased)
    )
    assert "Too few" in run.drift_finding(steady.head(1))
    on = pd.DataFrame({"A": [1, 1, 0, 0], "B": [1, 1, 0, 0], "C": [1, 1, 1, 1]}, dtype=bool)
    assert "A and B always ran together" in run.alias_finding(on)
    assert "C never varied" in run.alias_finding(on)
    assert "A and B never ran together" in run.alias_finding(on.assign(B=~on["A"]))
    assert "closest pair" in run.alias_finding(on.assign(B=[1, 0, 0, 1]).astype(bool))
    assert "Too few" in run.alias_finding(on[["A"]])
    reached = pd.DataFrame({"augmentation": ["A"], "far": 0.5, "short": 0.2, "n_far": 5,
                            "n_short": [5]})  # fmt: skip
    assert "A is in 50\u00a0% of them and in 20\u00a0%" in run.map_finding(reached)
    assert "Every trial" in run.map_finding(reached.assign(n_short=0))


def test_interactions():
    frame = family("better", "worse", "practically equal").assign(first="A", second="B")
    frame = frame.assign(observed=True, effect=[2.0, -3.0, 0.0])
    found = interactions.interactions_finding(frame)
    assert "A with B does more" in found
    assert "does less than the two add up to: −3.0 points" in found
    assert "1 of 3 pairs simply add up" in found
    open_ones = frame.assign(verdict="cannot tell")
    assert "Of no pair" in interactions.interactions_finding(open_ones)
    assert "No two" in interactions.interactions_finding(frame.assign(observed=False))
    assert "3 of 3 pairs never" in interactions.pairs_finding(frame.assign(observed=False))
    assert "All 3" in interactions.pairs_finding(frame)
    assert interactions.pairs_finding(frame.head(0)) == "There are no pairs."


def test_doses_and_settings():
    optima = pd.DataFrame({"augmentation": ["A", "B", "C"], "quantity": "severity", "optimum": 0.4,
                           "optimum_low": 0.3, "optimum_high": 0.5,
                           "verdict": ["optimum", "flat", "cannot tell"]})  # fmt: skip
    found = doses.dose_finding(optima)
    assert "A (severity near 0.4, 0.3 to 0.5)" in found
    assert "no difference for B (severity)" in found
    assert "For 1 of 3 curves, this sweep cannot tell the best value." in found
    assert "none can be recommended" in doses.dose_finding(optima.head(0))
    notes = [doses.optimum_note(row) for _, row in optima.iterrows()]
    assert notes == ["best near 0.4 (0.3–0.5)", "flat", "cannot tell"]
    settings = pd.DataFrame({"covariate": ["t", "t"], "value": ["1", "2"], "effect": [0.0, 2.0],
                             "low": [0.0, 1.0], "high": [0.0, 3.0]})  # fmt: skip
    assert "The score moves with t, most at t = 2: +2.0" in doses.covariate_finding(settings)
    assert "cannot tell" in doses.covariate_finding(settings.assign(low=-1.0, high=1.0))
    assert "Nothing but the policies" in doses.covariate_finding(settings.head(0))
    robust = pd.DataFrame({"augmentation": "A", "covariate": "t", "at_low": 1.0, "at_high": -1.0,
                           "verdict": ["changes", "practically equal"]})  # fmt: skip
    assert "A with t (+1.0 to −1.0)" in doses.robust_finding(robust)
    assert "Of no effect" in doses.robust_finding(robust.assign(verdict="cannot tell"))
    assert "not tested" in doses.robust_finding(robust.head(0))


def confirmed(*verdicts: str) -> pd.DataFrame:
    frame = pd.DataFrame({"policy": list("PQR")[: len(verdicts)], "verdict": list(verdicts)})
    numbers_of = {"blocks": 10, "score": 70.0, "low": 68.0, "high": 72.0}
    gains = {"gain": 2.0, "gain_low": 1.0, "gain_high": 3.0}
    return frame.assign(rank=range(1, len(frame) + 1), **numbers_of, **gains)


def test_confirmation():
    assert board.confirmation_finding(confirmed("better")).startswith("P: on 10 fresh blocks")
    assert board.confirmation_finding(confirmed("cannot tell", "better")).startswith("Q: ")
    none = board.confirmation_finding(confirmed("cannot tell"))
    assert none.startswith("No policy is confirmed to beat")
    assert "no score in this report is a test score" in board.confirmation_finding(confirmed())


def test_leaderboard_and_groups(filled, table):
    frame = filled(table).leaderboard
    assert "1.3 points of the score are luck" in board.board_finding(frame, None)
    assert "No policy is called best." in board.board_finding(frame, "reason")
    assert "luck" not in board.board_finding(frame.assign(optimism=np.nan), None)
    assert "no leaderboard" in board.board_finding(frame.head(0), None)
    assert "differs from 1 of the 2 others" in board.groups_finding(frame)
    assert "cannot be told apart" in board.groups_finding(frame.head(2))
    assert "Too few" in board.groups_finding(frame.assign(group=""))


def test_noise(filled, table):
    analysis = filled(table)
    assert "calls an effect of" in noise.smallest_finding(analysis.effects)
    blind = analysis.effects.assign(detectable=np.inf)
    assert "whatever its size" in noise.smallest_finding(blind)
    assert "1.43 points, is that between blocks" in noise.variance_finding(analysis.variance)
    assert "cannot tell" in noise.variance_finding(analysis.variance.assign(sd=np.nan))
    needs = analysis.runs_needed
    assert "needs about 130 such trials, 100 ran" in noise.needs_finding(needs, 100)
    assert "are enough" in noise.needs_finding(needs, 200)
    assert "would not show" in noise.needs_finding(needs.assign(trials=np.inf), 100)
    assert "cannot tell" in noise.needs_finding(needs.head(0), 100)


@pytest.mark.parametrize(
    ("rho", "low", "high", "words"),
    [(0.9, 0.8, 0.95, "well"), (0.6, 0.4, 0.7, "moderately"), (0.2, 0.0, 0.4, "poorly"),
     (0.5, -0.2, 0.9, "cannot tell"), (np.nan, np.nan, np.nan, "cannot tell")],
)  # fmt: skip
def test_fidelity(rho, low, high, words):
    frame = pd.DataFrame({"step": [250], "rho": rho, "rho_low": low, "rho_high": high,
                          "trials": 40, "flips": [0.2]})  # fmt: skip
    assert words in fidelity.fidelity_finding(frame)
    assert "20\u00a0% of the effects" in fidelity.flips_finding(frame)
    assert "keep its sign" in fidelity.flips_finding(frame.assign(flips=0.0))
    assert "cannot tell" in fidelity.flips_finding(frame.assign(flips=np.nan))


def test_rungs_by_category():
    curves = pd.DataFrame({"category": "slow", "step": [1, 9], "difference": [-2.0, 1.0],
                           "low": [-2.5, 0.5], "high": [-1.5, 1.5]})  # fmt: skip
    assert "Trials with slow start lower" in fidelity.rungs_finding(curves)
    calm = curves.assign(difference=0.0, low=-1.0, high=1.0)
    assert "No category is shown" in fidelity.rungs_finding(calm)
    assert "reported once" in fidelity.rungs_finding(curves.head(1))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.5, 3.0, "scores higher"), (-3.0, -0.5, "scores lower"), (-1.0, 3.0, "cannot tell"),
     (np.nan, np.nan, "Two subjects and more")],
)  # fmt: skip
def test_subjects(low, high, words):
    people = pd.DataFrame({"difference": [1.0, -1.0]})
    contrast = pd.DataFrame({"difference": [1.0], "low": low, "high": high})
    assert words in subjects.subjects_finding(contrast, people)
    assert "1 of 2 subjects" in subjects.subjects_finding(contrast, people)
    assert "cannot tell" in subjects.subjects_finding(contrast.head(0), people)


def test_confusions_and_embeddings():
    best, base = np.diag([9, 9, 9, 9, 9]) + 1, np.diag([9, 4, 9, 9, 9]) + 1
    assert "in N1" in subjects.confusion_finding({"best": best, "baseline": base})
    assert "No stage" in subjects.confusion_finding({"best": base, "baseline": base})
    assert "Only the best" in subjects.confusion_finding({"best": best})
    one = SimpleNamespace(knn_stage=0.7, knn_subject=0.3, chance_subject=0.1)
    assert "holds who slept" in subjects.embedding_finding({"best": one})
    same = SimpleNamespace(knn_stage=0.7, knn_subject=0.11, chance_subject=0.1)
    assert "hardly more than guessing" in subjects.embedding_finding({"baseline": same})
    unknown = SimpleNamespace(knn_stage=0.7, knn_subject=np.nan, chance_subject=0.1)
    assert subjects.embedding_finding({"best": unknown}).endswith("of the stages.")


def test_sensitivity():
    frame = pd.DataFrame({"variant": ["kappa", "priors"] * 2, "augmentation": list("AABB"),
                          "holds": [True, False, True, True]})  # fmt: skip
    assert "1 verdict hold in all, 1 flip" in sensitivity.sensitivity_finding(frame)
    calm = sensitivity.sensitivity_finding(frame.assign(holds=True))
    assert calm == "Every verdict holds in 2 other analyses."
    assert "could be run" in sensitivity.sensitivity_finding(frame.head(0))


def next_of(analysis) -> str:
    return verdict_pairs(analysis)[-1][1]


def test_what_to_run_next(filled, hollow, table):
    none, frame = hollow(table).confirmation, filled(table).effects.assign(detectable=0.5)
    calm = {"checks": (), "effects": frame.assign(verdict="better")}
    red = SimpleNamespace(code="LEAK_TEST", level="red", sentence="s.", effect="", refuses=())
    assert "validation subjects" in next_of(filled(table, **{**calm, "checks": (red,)}))
    assert "three subject splits" in next_of(filled(table))
    assert "Nothing is needed" in next_of(filled(table, **calm))
    assert "A confirmation of the top policies" in next_of(filled(table, confirmation=none, **calm))
    undecided = filled(table).confirmation.assign(verdict="cannot tell")
    assert "more fresh blocks" in next_of(filled(table, confirmation=undecided, **calm))
    blind = {"checks": (), "effects": frame.assign(verdict="cannot tell")}
    assert "70 more random trials" in next_of(filled(table, **blind))
    needs = filled(table).runs_needed.assign(trials=np.inf)
    assert "several sizes" in next_of(filled(table, runs_needed=needs, **blind))


def test_what_to_use(filled, hollow, table):
    none = {"confirmation": hollow(table).confirmation, "checks": ()}
    base = filled(table).effects
    order = ["better", "better", *["cannot tell"] * (len(base) - 3), "worse"]
    pairs = dict(verdict_pairs(filled(table, effects=base.assign(verdict=order), **none)))
    first, second = base["augmentation"].iloc[:2]
    assert pairs["Use"].startswith(f"{first} and {second}; {first} adds most, +")
    assert pairs["Leave out"].startswith(base["augmentation"].iloc[-1])
    calm = base.assign(verdict="practically equal")
    pairs = dict(verdict_pairs(filled(table, effects=calm, **none)))
    assert "No augmentation is shown to help or to hurt; 13 of 13" in pairs["Use"]
    pairs = dict(verdict_pairs(filled(table, effects=base.assign(verdict=order))))
    assert "on 10 fresh blocks and test subjects" in pairs["Use"]
    assert "help (" in pairs["In random sets"]
    assert "hurts (" in pairs["In random sets"]
