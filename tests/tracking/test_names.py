"""What a trial is called in MLflow, and the numbers by which its pages compare it."""

from collections.abc import Callable
from typing import Any

import pytest

from sleepsweep.data.store import Store
from sleepsweep.folder.record import TrialRecord
from sleepsweep.plan import Plan, make_plan
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.tracking.names import Pool, objective_of, run_name, trial_params, trial_tags
from sleepsweep.tracking.views import sweep_view
from sleepsweep.trial import MemberSpec

MakeSweep = Callable[..., SweepSpec]


@pytest.fixture
def baselined(sweep: MakeSweep, store: Store) -> Plan:
    return make_plan(sweep(search={"baselines": ["untrained"]}))


def records(plan: Plan) -> list[TrialRecord]:
    return [
        TrialRecord(slot.order, slot.kind, slot.design, slot.trial)
        for slot in plan.slots
        if slot.trial is not None
    ]


def made_of(plan: Plan, *members: MemberSpec) -> TrialRecord:
    first = records(plan)[0]
    return TrialRecord(7, "search", "", first.trial.changed(policy=members))


def test_a_run_is_named_by_its_policy(baselined: Plan) -> None:
    flip = made_of(baselined, MemberSpec(name="SignFlip", p=0.4))
    names = {run_name(record) for record in [flip, *records(baselined)]}
    assert {"SignFlip #7", "no augmentation #0", "baseline: untrained"} <= names


def test_what_a_policy_leaves_out_is_zero_and_no_gap(plan: Plan) -> None:
    mixed = MemberSpec(name="TailoredMixup", p=0.8, severity=0.5)
    shuffled = MemberSpec(name="Permutation", p=1.0, parameters={"n_segments": 4})
    pool = Pool.of(plan.manifest())
    params = trial_params(made_of(plan, mixed, shuffled), pool)
    assert {key: value for key, value in params.items() if key.startswith("severity.")} == {
        "severity.RandomDCShift": 0.0, "severity.TailoredMixup": 0.5,
    }  # fmt: skip
    assert {key: value for key, value in params.items() if key.startswith("p.")} == {
        "p.RandomDCShift": 0.0, "p.SignFlip": 0.0, "p.TailoredMixup": 0.8, "p.Permutation": 1.0,
        "p.Placebo": 0.0,
    }  # fmt: skip
    assert {key: value for key, value in params.items() if key.startswith("category.")} == {
        "category.amplitude": 0, "category.frequency": 1, "category.placebo": 0,
        "category.temporal": 1,
    }  # fmt: skip
    assert (params["size"], params["n_segments.Permutation"]) == (2, 4)


def test_a_grid_of_severities_gives_one_to_all_that_have_a_dial(sweep: MakeSweep) -> None:
    grid = {"designs": [{"severity_grid": {"severities": [0.25, 0.75]}}], "trials": 0}
    pool = Pool.of(make_plan(sweep(search=grid)).manifest())
    assert pool.with_severity == {"RandomDCShift", "TailoredMixup", "Permutation"}
    assert "p.SignFlip" in pool.dials


def test_a_pool_by_other_names_has_the_same_severities(sweep: MakeSweep) -> None:
    entry = {"severity": {"uniform": [0.1, 1.0]}}
    pool = {"SignFlip": None, "TimeReverse": None, "RandomAmplitudeScale": entry}
    tree = {**sweep().model_dump(mode="json")["augmentations"], "size": [0, 2], "pool": pool}
    spec = SweepSpec.model_validate({**sweep().model_dump(mode="json"), "augmentations": tree})
    assert Pool.of(make_plan(spec).manifest()).with_severity == {"RandomAmplitudeScaling"}


def test_a_baseline_has_no_policy_to_be_plotted_by(baselined: Plan) -> None:
    pool = Pool.of(baselined.manifest())
    (baseline,) = [record for record in records(baselined) if not record.has_policy]
    params = trial_params(baseline, pool)
    assert params["policy"] == "baseline: untrained"
    assert not {"size", *pool.dials, *pool.flags} & set(params)
    assert trial_tags(baseline, pool)["kind"] == "baseline"


def test_what_mlflow_would_plot_first_tells_of_the_policy(plan: Plan) -> None:
    pool = Pool.of(plan.manifest())
    policies = [
        (MemberSpec(name=name, p=0.5, severity=severity),) if name else ()
        for name, severity in ((None, None), ("SignFlip", None), ("TailoredMixup", 0.5))
    ]
    runs = [trial_params(made_of(plan, *members), pool) for members in policies]
    differing = sorted(key for key in runs[0] if len({str(run.get(key)) for run in runs}) > 1)
    assert differing[:2] == ["category.amplitude", "category.frequency"]


def axes(view: dict[str, Any]) -> set[str]:
    """The parameters that the charts of a view are over."""
    plain = {key for chart in view["compareRunCharts"] for key in chart.get("selectedParams", ())}
    return plain | {chart["xaxis"]["key"] for chart in view["compareRunCharts"] if "xaxis" in chart}


def test_every_trial_has_every_axis_of_the_charts(plan: Plan) -> None:
    pool = Pool.of(plan.manifest())
    view = sweep_view("macro_f1", pool)
    for record in records(plan):
        assert axes(view) <= set(trial_params(record, pool))
    sections = {section["uuid"] for section in view["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in view["compareRunCharts"]} <= sections


@pytest.mark.parametrize(
    ("objective", "first", "second"),
    [("kappa", "kappa", "accuracy"), (["accuracy", "time_s"], "accuracy", "kappa")],
)
def test_the_pages_open_on_what_is_sought(
    sweep: MakeSweep, objective: Any, first: str, second: str
) -> None:
    manifest = make_plan(sweep(objective=objective)).manifest()
    view = sweep_view(objective_of(manifest), Pool.of(manifest))
    assert view["orderByKey"] == f"metrics.`{first}`"
    assert view["selectedColumns"][:2] == [f"metrics.`{first}`", f"metrics.`{second}`"]
