import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from sleepsweep.data.store import Store
from sleepsweep.plan import Plan, make_plan
from sleepsweep.space import Recorded, draw_policy
from sleepsweep.spec.pool import shared_out
from sleepsweep.spec.ranges import Draws, Range
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import MemberSpec, TrialSpec


def draws(seed: int) -> Draws:
    return Draws(np.random.default_rng(seed))


def test_sizes_are_uniform_and_members_are_uniform_within_a_size(
    sweep: Callable[..., SweepSpec],
) -> None:
    space = sweep().augmentations
    policies = [draw_policy(space, draws(seed)) for seed in range(2000)]
    sizes = Counter(len(policy) for policy in policies)
    assert chisquare([sizes[k] for k in range(4)]).pvalue > 0.01
    for size in (1, 2):
        members = Counter(m.name for policy in policies if len(policy) == size for m in policy)
        assert set(members) == set(space.members)
        assert chisquare(list(members.values())).pvalue > 0.01


def test_a_policy_keeps_the_order_of_the_pool_and_its_ranges(
    sweep: Callable[..., SweepSpec],
) -> None:
    space = sweep().augmentations
    order = list(space.members)
    for seed in range(200):
        policy = draw_policy(space, draws(seed))
        assert sorted(policy, key=lambda member: order.index(member.name)) == list(policy)
        for member in policy:
            assert 0.3 <= member.p <= 1.0
            assert member.severity is None or 0.1 <= member.severity <= 1.0
            assert member.parameters.get("n_segments", 2) in (2, 4, 8)


def members_with(*p: float) -> tuple[MemberSpec, ...]:
    return tuple(MemberSpec(name=f"A{place}", p=each) for place, each in enumerate(p))


@pytest.mark.parametrize(
    ("given_p", "p_sum", "shared"),
    [
        ((0.8, 0.4, 0.4), 1.2, (0.6, 0.3, 0.3)),
        ((1.0, 1.0), 0.5, (0.25, 0.25)),
        ((1.0, 0.1, 0.1), 2.0, (1.0, 0.5, 0.5)),  # what the first cannot take, the others do
        ((0.5, 0.0), 3.0, (1.0, 0.0)),
    ],
)
def test_a_sum_of_p_is_shared_out_in_proportion(
    given_p: tuple[float, ...], p_sum: float, shared: tuple[float, ...]
) -> None:
    found = shared_out(members_with(*given_p), p_sum)
    assert [member.p for member in found] == pytest.approx(shared)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8), st.floats(0.1, 8.0))
def test_shares_add_up_and_keep_their_order(given_p: list[float], p_sum: float) -> None:
    found = [member.p for member in shared_out(members_with(*given_p), p_sum)]
    assert sum(found) == pytest.approx(min(p_sum, len(given_p)), rel=1e-3)
    assert max(found) <= 1
    order = np.argsort(given_p, kind="stable")
    assert (np.diff(np.array(found)[order]) >= -1e-9).all()


def test_every_policy_of_a_sum_has_it(sweep: Callable[..., SweepSpec]) -> None:
    space = sweep(augmentations={"size": [2, 3], "p_sum": 1.5}).augmentations
    for seed in range(50):
        policy = draw_policy(space, draws(seed))
        assert sum(member.p for member in policy) == pytest.approx(1.5, rel=1e-3)


def test_an_epoch_is_offered_some_of_the_members(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plain, chosen = make_plan(sweep()), make_plan(sweep(augmentations={"choose": 2}))
    pairs = list(zip(designed_and_drawn(plain), designed_and_drawn(chosen), strict=True))
    assert {trial.size for trial, _ in pairs} == {0, 1, 2, 3}
    for without, trial in pairs:
        assert trial.policy == without.policy
        assert (trial.id != without.id) == (trial.size > 2)
        assert trial.build_policy().choose == (2 if trial.size > 2 else None)
        assert trial.policy_text.startswith("2 of ") == (trial.size > 2)


def designed_and_drawn(plan: Plan) -> list[TrialSpec]:
    """The trials of 60 policies drawn for the plan's first block."""
    spec = plan.spec.augmentations
    return [plan.space.trial(draw_policy(spec, draws(seed)), 0) for seed in range(60)]


def test_recorded_values_give_the_policy_back(sweep: Callable[..., SweepSpec]) -> None:
    space = sweep().augmentations

    class Spy(Draws):
        def __init__(self, seed: int) -> None:
            super().__init__(np.random.default_rng(seed))
            self.seen: dict[str, object] = {}

        def __getattribute__(self, name: str) -> object:
            found = super().__getattribute__(name)
            if not name.startswith("suggest"):
                return found

            def spied(key: str, *rest: object, **options: object) -> object:
                self.seen[key] = found(key, *rest, **options)
                return self.seen[key]

            return spied

    for seed in range(50):
        spy = Spy(seed)
        policy = draw_policy(space, spy)
        assert draw_policy(space, Recorded(spy.seen)) == policy


@given(st.integers(0, 10**6), st.sampled_from(["uniform", "loguniform", "int", "choice"]))
def test_a_range_draws_what_it_allows(seed: int, kind: str) -> None:
    options = [0.013, 0.77] if kind != "int" else [2, 9]
    value = Range.model_validate({kind: options}).suggest("x", draws(seed))
    if kind == "choice":
        assert value in options
    else:
        assert options[0] <= value <= options[1]
    assert Range.model_validate({kind: options}).model_dump() == {kind: options}


def test_no_trial_occurs_twice_and_kinds_are_dealt_over_the_blocks(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    spec = sweep(split={"blocks": 3}, search={"trials": 30, "designs": ["none", "singles"]})
    slots = make_plan(spec).slots
    given_trials = [slot.trial.id for slot in slots if slot.trial is not None]
    assert len(set(given_trials)) == len(given_trials)
    assert [slot.order for slot in slots] == list(range(len(slots)))
    kinds = Counter((slot.kind, slot.block) for slot in slots)
    assert kinds["design", 0] == kinds["design", 1] == kinds["design", 2] == 1 + 5
    assert [kinds["anchor", block] for block in range(3)] == [4, 3, 3]
    assert [kinds["search", block] for block in range(3)] == [7, 7, 6]


def test_blocks_redraw_train_and_validation_and_never_the_test_subjects(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(seed=1, split={"blocks": 4}))
    splits = [block.split for block in plan.space.blocks]
    assert len({split.validation for split in splits}) > 1
    for split in splits:
        assert split.test == plan.test
        assert not {*split.train, *split.validation} & {*plan.test}
    same = make_plan(sweep(split={"blocks": 4, "resplit": False})).space.blocks
    assert len({block.split for block in same}) == 1
    assert len({block.seed for block in same}) == 4


def test_the_sweeps_seed_changes_no_split(sweep: Callable[..., SweepSpec], store: Store) -> None:
    probe = {"label_fraction": 0.34}
    plans = [make_plan(sweep(seed=seed, split={"blocks": 3}, probe=probe)) for seed in (0, 5)]
    first, second = (plan.manifest()["splits"] for plan in plans)
    assert first == second
    hashes = [split["hash"] for split in first]
    for plan in plans:
        assert [plan.space.trial((), block).split_hash for block in range(3)] == hashes
    assert [block.seed for block in plans[1].space.blocks] == [5, 6, 7]
    drawn = [make_plan(sweep(split={"seed": seed})).space.blocks[0].split for seed in range(4)]
    assert len({split.validation for split in drawn}) > 1
    assert len({split.test for split in drawn}) == 1


def test_who_is_labelled_follows_the_split_and_its_seed(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    def labelled(**split: Any) -> list[tuple[str, ...]]:
        plan = make_plan(sweep(split=split, probe={"label_fraction": 0.34}))
        return [block.labelled for block in plan.space.blocks]

    assert len(set(labelled(blocks=4, resplit=False))) == 1
    assert len({labelled(resplit=False, seed=seed)[0] for seed in range(6)}) > 1


def test_the_hash_of_a_split_covers_who_is_labelled(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    shares = [make_plan(sweep(probe={"label_fraction": share})) for share in (0.34, 1.0)]
    assert len({plan.space.trial((), 0).split_hash for plan in shares}) == 2


def test_a_sweep_of_a_split_file(
    sweep: Callable[..., SweepSpec], store: Store, tmp_path: Path
) -> None:
    *names, test = store.subjects
    blocks = [
        {"train": names[:2], "validation": names[2:]},
        {"train": names[2:], "validation": names[:2]},
    ]
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"test": [test], "blocks": blocks}))
    keys = {"protocol": "file", "file": str(path)}
    tree = {**sweep().model_dump(mode="json"), "split": keys}
    plan = make_plan(SweepSpec.model_validate(tree))
    path.unlink()
    assert plan.test == (test,)
    manifest = plan.manifest()
    splits = manifest["splits"]
    assert make_plan(SweepSpec.model_validate(manifest["spec"])).manifest()["splits"] == splits
    assert [split["validation"] for split in splits] == [names[2:], names[:2]]
    trials = [slot.trial for slot in plan.slots if slot.trial is not None]
    assert {(trial.block, trial.split_hash) for trial in trials} == {
        (split["block"], split["hash"]) for split in splits
    }


def test_the_labelled_subjects_are_listed_and_counted(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    plan = make_plan(sweep(probe={"label_fraction": 0.34}))
    manifest = plan.manifest()
    trial = plan.slots[0].trial
    assert trial is not None
    assert manifest["splits"][0]["labelled"] == list(trial.labelled)
    assert manifest["study"]["subjects"] == {
        "train": 3, "validation": 1, "labelled": 1, "test": 1
    }  # fmt: skip
    assert "labelled" not in make_plan(sweep()).manifest()["study"]["subjects"]


def test_a_trial_survives_json_and_keeps_its_identity(plan: Plan) -> None:
    for slot in plan.slots:
        if slot.trial is not None:
            again = TrialSpec.model_validate(slot.trial.model_dump(mode="json"))
            assert again == slot.trial
            assert again.id == slot.trial.id


def test_the_same_yaml_gives_the_same_trials_anywhere(plan: Plan) -> None:
    policies = [slot.trial.policy_text for slot in plan.slots if slot.trial is not None]
    assert policies == [
        "none",
        "TailoredMixup(severity=0.5, p=1.0) + Permutation(n_segments=4, p=1.0)",
        "SignFlip(p=0.7259) + TailoredMixup(severity=0.5, p=1.0) + "
        "Permutation(n_segments=2, p=1.0)",
    ]


def test_an_identity_changes_with_whatever_can_change_the_result(plan: Plan) -> None:
    trial = plan.slots[0].trial
    assert trial is not None
    changed = [
        trial.model_copy(update={"seed": 9}),
        trial.model_copy(update={"rungs": (4,)}),
        trial.model_copy(update={"train": trial.train[1:]}),
        trial.model_copy(update={"data_hash": "other"}),
    ]
    fresh = [TrialSpec.model_validate(one.model_dump(mode="json")) for one in changed]
    assert len({trial.id, *(one.id for one in fresh)}) == 5


def test_a_space_with_too_few_policies_ends_instead_of_repeating_them(
    sweep: Callable[..., SweepSpec], store: Store
) -> None:
    pool = {"size": [0, 1], "placebo": False, "pool": {"SignFlip": {}}}
    slots = make_plan(sweep(augmentations=pool, search={"trials": 8, "anchors": 1.0})).slots
    assert [slot.trial.policy_text for slot in slots if slot.trial] == ["none", "SignFlip(p=1.0)"]


@pytest.mark.parametrize("mix", ["store", "batch"])
def test_the_drawn_policy_is_built(sweep: Callable[..., SweepSpec], mix: str) -> None:
    space = sweep(augmentations={"mix_partner": mix}).augmentations
    policy = draw_policy(space, draws(3))
    assert [member.build().p for member in policy] == [member.p for member in policy]
