"""What docs/explain.md says is so."""

import re
from pathlib import Path

from sleepsweep.explain.effects import LIMITS
from sleepsweep.explain.occlusions import bands_of, windows_of
from sleepsweep.explain.run import PAGE as INDEX
from sleepsweep.explain.run import Plan

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text()


def test_bands_windows_and_defaults_are_those_of_the_code() -> None:
    names = [band.name for band in bands_of(100.0)]
    listed = re.search(r"^Drift .*?whole spectrum", PAGE, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert re.findall("|".join(names), listed[0].lower()) == names
    edges = [f"{band.high_hz:g}" for band in bands_of(100.0)][1:-1]
    assert re.findall(r"\(to (\d+)\)", listed[0]) == edges
    plan = Plan()
    assert f"`--window` seconds ({plan.window_s:g}:" in PAGE
    assert f"`--fill {plan.fill}`, the default" in PAGE
    assert f"`--epochs-per-subject` ({plan.epochs_per_subject})" in PAGE
    windows = windows_of(30.0, plan.window_s, 100.0, plan.fill)
    assert f"each of {len(names)} bands and {len(windows)} windows" in PAGE


def test_files_and_columns_are_named() -> None:
    for name in (INDEX, "bands.csv", "windows.csv", "whole.csv", "by_subject.csv", *LIMITS):
        assert f"`{name}`" in PAGE
