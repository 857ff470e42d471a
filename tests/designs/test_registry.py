"""What every design keeps to, whatever it is."""

import hashlib
import json
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sleepsweep.designs import DesignSpec
from sleepsweep.space import Space
from sleepsweep.spec.sweepspec import SweepSpec

# One of each; a new design needs an example here to be put through the contract.
EXAMPLES: dict[str, Any] = {
    "none": "none",
    "singles": "singles",
    "leave_one_out": "leave_one_out",
    "pairs": "pairs",
    "within_category": {"within_category": {"categories": ["amplitude"]}},
    "between_categories": {"between_categories": {"take": "any", "together": 3}},
    "factorial": {"factorial": {"trials": 9}},
    "severity_grid": {"severity_grid": {"severities": [0.1, 0.5, 1.0]}},
    "probability_grid": {"probability_grid": {"sums": [1, 2.5, 4], "weights": {"SignFlip": 2}}},
    "list": {"list": {"policies": [
        [{"Permutation": {"severity": 0.3, "p": {"uniform": [0.2, 0.8]}}}, "SignFlip"], "none",
    ]}},
}  # fmt: skip
COUNTS = {  # on two blocks: of RandomDCShift and SignFlip, TailoredMixup, Permutation, the placebo
    "none": 2, "singles": 10, "leave_one_out": 10, "pairs": 20, "within_category": 6,
    "between_categories": 6, "factorial": 9, "severity_grid": 18, "probability_grid": 10, "list": 4,
}  # fmt: skip


def test_every_design_has_an_example() -> None:
    assert list(EXAMPLES) == list(DesignSpec.model_fields)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_design_has_as_many_trials_as_its_formula_says(
    name: str, space_of: Callable[..., Space]
) -> None:
    space = space_of(EXAMPLES[name])
    (item,) = space.spec.search.designs
    slots = space.slots()
    assert len(slots) == COUNTS[name]
    assert item.design.count(space.spec.augmentations, 2) == COUNTS[name]
    assert {slot.block for slot in slots} == {0, 1}
    assert {(slot.kind, slot.design) for slot in slots} == {("design", name)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_design_is_drawn_from_the_pool_alike_each_time(
    name: str, space_of: Callable[..., Space]
) -> None:
    space = space_of(EXAMPLES[name])
    trials = [slot.trial for slot in space.slots() if slot.trial]
    assert [slot.trial for slot in space_of(EXAMPLES[name]).slots()] == trials
    for trial in trials:
        assert {member.name for member in trial.policy} <= set(space.members)
        assert all(0 <= member.build().p <= 1 for member in trial.policy)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_design_written_out_is_the_same_design(name: str, space_of: Callable[..., Space]) -> None:
    (item,) = space_of(EXAMPLES[name]).spec.search.designs
    written = yaml.safe_load(yaml.safe_dump(item.model_dump(mode="json")))
    assert DesignSpec.model_validate(written) == item
    assert DesignSpec.model_validate(written).model_dump(mode="json") == written


def hashed(space: Space) -> str:
    ids = [slot.trial.id for slot in space.slots() if slot.trial]
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]


def test_the_same_yaml_and_seed_give_the_same_trials_on_any_machine(
    space_of: Callable[..., Space], sweep: Callable[..., SweepSpec]
) -> None:
    assert hashed(space_of(*EXAMPLES.values())) == "197dadda7b8b4c16"


def test_none_and_singles_are_the_trials_that_they_were_before_there_were_other_designs(
    space_of: Callable[..., Space],
) -> None:
    assert hashed(space_of("none", "singles")) == "8e83fb3856f8c8da"


def test_a_policy_of_two_designs_is_run_once(space_of: Callable[..., Space]) -> None:
    fixed = {"pool": {"SignFlip": None, "TimeReversal": {"p": 0.5}}, "size": [0, 2]}
    one = space_of("none", "singles", "leave_one_out", blocks=1, **fixed, placebo=False)
    texts = [(slot.design, slot.trial.policy_text) for slot in one.slots() if slot.trial]
    assert texts == [
        ("none", "none"), ("singles", "SignFlip(p=1.0)"), ("singles", "TimeReversal(p=0.5)"),
    ]  # fmt: skip
    assert [slot.order for slot in one.slots()] == [0, 1, 2]


def test_settings_are_one_draw_a_block_for_all_policies_of_a_design(
    space_of: Callable[..., Space],
) -> None:
    drawn: dict[tuple[int, str], set[str]] = {}
    for slot in space_of("pairs").slots():
        assert slot.trial is not None
        for member in slot.trial.policy:
            drawn.setdefault((slot.block, member.name), set()).add(str(member))
    assert {len(settings) for settings in drawn.values()} == {1}
    assert drawn[0, "RandomDCShift"] != drawn[1, "RandomDCShift"]


def test_a_sum_of_p_is_shared_out_in_sets_and_not_to_singles(
    space_of: Callable[..., Space],
) -> None:
    space = space_of("singles", "pairs", "none", p_sum=0.5)
    for slot in space.slots():
        if slot.trial is not None and slot.trial.size == 2:
            assert sum(m.p for m in slot.trial.policy) == pytest.approx(0.5, rel=1e-3)
    singles = [slot for slot in space.slots() if slot.design == "singles"]
    assert singles == space_of("singles").slots()


NAMES = ("RandomDCShift", "SignFlip", "TailoredMixup", "Permutation")
SOME = st.lists(st.sampled_from(NAMES), min_size=2, unique=True)
CATEGORIES = st.lists(
    st.sampled_from(["amplitude", "frequency", "temporal"]), min_size=1, unique=True
)
SHARES = st.lists(st.floats(0.01, 1.0), min_size=1, max_size=4, unique=True)
OPTIONS = {
    "none": st.just({}),
    "singles": st.fixed_dictionaries({}, optional={"members": SOME}),
    "leave_one_out": st.fixed_dictionaries({}, optional={"members": SOME}),
    "pairs": st.fixed_dictionaries({}, optional={"members": SOME}),
    "within_category": st.fixed_dictionaries({}, optional={"categories": CATEGORIES}),
    "between_categories": st.fixed_dictionaries(
        {}, optional={"take": st.sampled_from(["one", "any"]), "together": st.integers(2, 3)}
    ),
    "factorial": st.fixed_dictionaries({"trials": st.integers(1, 25)}),
    "severity_grid": st.fixed_dictionaries({"severities": SHARES}),
    "probability_grid": st.fixed_dictionaries(
        {"sums": SHARES},
        optional={"weights": st.dictionaries(st.sampled_from(NAMES), st.floats(0.1, 9))},
    ),
    "list": st.fixed_dictionaries({
        "policies": st.lists(
            st.lists(st.sampled_from(NAMES), max_size=3, unique=True), min_size=1, max_size=4,
            unique_by=tuple,
        )
    }),
}  # fmt: skip
ANY_DESIGN = st.sampled_from(list(OPTIONS)).flatmap(
    lambda name: OPTIONS[name].map(lambda options: {name: options} if options else name)
)


def dumped(spec: SweepSpec) -> str:
    return yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False)  # a pool has an order


@given(st.lists(ANY_DESIGN, min_size=1, max_size=4), st.integers(1, 3))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_yaml_to_trials_to_yaml_is_stable(
    space_of: Callable[..., Space], designs: list[Any], blocks: int
) -> None:
    space = space_of(*designs, blocks=blocks)
    written = dumped(space.spec)
    again = SweepSpec.model_validate(yaml.safe_load(written))
    assert again == space.spec
    assert dumped(again) == written
    slots = space.slots()
    assert Space(again, space.blocks, "data").slots() == slots
    ids = [slot.trial.id for slot in slots if slot.trial]
    assert len(set(ids)) == len(slots)
    pool = space.spec.augmentations
    most = sum(item.design.count(pool, blocks) for item in space.spec.search.designs)
    assert len(slots) <= most
    if len(designs) == 1:
        assert len(slots) == most


MISTAKES: list[tuple[Any, str]] = [
    ({"factorial": {"trials": 40}}, "more than there are distinct sets: 25 of sizes 1 to 3"),
    ({"pairs": {"members": ["TimeWarping", "SignFlip"]}}, "TimeWarping is not in the pool"),
    ({"pairs": {"members": ["SignFlip", "SignFlip"]}}, "SignFlip is named twice"),
    ({"pairs": {"members": ["SignFlip"]}}, "no policy of this pool fits"),
    ({"singles": {"members": ["Placebo", "Sgnflip"]}}, "Did you mean SignFlip"),
    ({"within_category": {"categories": ["noise"]}}, "allowed: amplitude, frequency, temporal"),
    ({"between_categories": {"together": 4}}, "together is 4, but the members are of 3 categories"),
    ({"severity_grid": {"severities": [0.5, 1.5]}}, "less than or equal to 1"),
    ({"severity_grid": {"severities": [0.5, 0.5]}}, "0.5 is given twice"),
    ({"severity_grid": {"severities": [0.5], "members": ["SignFlip"]}}, "its dial is p"),
    ({"probability_grid": {"sums": [5]}}, "5 is more than 4 members can have"),
    ({"probability_grid": {"sums": [1], "weights": {"Placebo": 2}}}, "Placebo is not in the pool"),
    ({"list": {"policies": [["SignFlip", "SignFlip"]]}}, "SignFlip is in this policy already"),
    ({"list": {"policies": ["none", []]}}, "listed twice"),
    ({"list": {"policies": ["SignFlip"]}}, "allowed: none or a list of augmentations"),
    ({"list": {"policies": [[{"SignFlip": {"severity": 1.0}}]]}}, "its dial is p"),
    ({"list": {"policies": [[["SignFlip"]]]}}, "NAME or {NAME: {...}}"),
    ({"none": {}, "singles": {}}, "one design an item"),
]


@pytest.mark.parametrize(("design", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_a_design_that_does_not_fit_is_refused_with_what_is_allowed(
    design: Any, said: str, space_of: Callable[..., Space]
) -> None:
    with pytest.raises(ValidationError) as caught:
        space_of(design)
    assert said in str(caught.value)


def test_an_explosion_is_refused_with_its_count_before_anything_is_laid_out(
    sweep: Callable[..., SweepSpec],
) -> None:
    temporal = ["TimeReversal", "TimeWarping", "Permutation", "RandomTimeShift"]
    frequency = ["RandomBandStopFilter", "TailoredMixup", "FTSurrogate", "FrequencyShift"]
    masking = ["CutoutResize", "RandomZeroMasking", "SmoothTimeMask"]
    pool = {"size": [0, 6], "pool": dict.fromkeys([*temporal, *frequency, *masking])}
    design = {"between_categories": {"take": "any", "together": 3}}
    with pytest.raises(
        ValidationError, match="6,300 trials on 4 blocks; a design has at most 5,000"
    ):
        sweep(augmentations=pool, search={"designs": [design]}, split={"blocks": 4})
    allowed = sweep(augmentations=pool, search={"designs": [design]}, split={"blocks": 3})
    (item,) = allowed.search.designs
    assert item.design.count(allowed.augmentations, 3) == 3 * 15 * 15 * 7


def test_a_sweep_that_would_run_nothing_is_refused(sweep: Callable[..., SweepSpec]) -> None:
    with pytest.raises(ValidationError, match="nothing would be run"):
        sweep(search={"trials": 0, "designs": []})


def test_the_pairs_are_all_pairs(space_of: Callable[..., Space]) -> None:
    space = space_of("pairs", blocks=1)
    found = [tuple(m.name for m in slot.trial.policy) for slot in space.slots() if slot.trial]
    assert found == list(combinations(space.members, 2))
