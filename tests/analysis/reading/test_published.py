"""The published study's own table raises what it deserves, from its columns alone."""

import pytest

from sleepsweep_analysis import Analysis, analyse, load


@pytest.fixture(scope="module")
def published(shared_data) -> Analysis:
    return analyse(load(shared_data / "published.csv"))


@pytest.mark.parametrize(
    ("code", "level"),
    [("ALIASED", "red"), ("NO_BASELINE", "amber"), ("SEED_IS_SPLIT", "amber"),
     ("LEAK_TEST", "red"), ("SIZE_COMPOSITION", "amber")],
)  # fmt: skip
def test_its_warnings(published, code, level):
    assert published.check(code).level == level


def test_its_claim_about_size_is_refused(published):
    assert {"size", "ranking", "interactions", "gain", "best"} <= set(published.refused)
    check = published.check("ALIASED")
    assert "protocol (A, B)" in check.sentence
    assert "tied to size" in check.sentence
