"""The published claims, put to the analysis of the published table."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.published_claims import CLAIMS, table
from sleepsweep_analysis import analyse, load

DATA = os.environ.get("SLEEPSWEEP_DATA")


@pytest.mark.skipif(
    DATA is None, reason="SLEEPSWEEP_DATA does not name the published table's folder"
)
def test_no_published_claim_is_supported_by_its_table():
    analysis = analyse(load(Path(str(DATA)) / "published.csv"))
    lines = table(analysis).splitlines()
    assert len(lines) == 2 + len(CLAIMS)
    assert all("| refused: " in line for line in lines[2:])
    assert "P(best)" in lines[2]


def test_a_claim_that_nothing_forbids_is_answered_by_its_numbers(monkeypatch):
    free = SimpleNamespace(refused={})
    for supported in (True, False):
        claim = CLAIMS[0].__class__("It helps", ("ranking",), lambda _, s=supported: ("+1.0", s))
        monkeypatch.setattr("benchmarks.published_claims.CLAIMS", (claim,))
        verdict = "supported" if supported else "not supported"
        assert table(free).splitlines()[-1] == f"| It helps | +1.0 | {verdict} |"
