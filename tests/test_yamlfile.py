"""YAML that people write: what it says, where it says it, and no key twice."""

import pytest
import yaml

from sleepsweep.yamlfile import parse_yaml


def test_content_and_lines() -> None:
    content, lines = parse_yaml("a: 1\nb:\n  - {c: 2}\n")
    assert content == {"a": 1, "b": [{"c": 2}]}
    assert lines == {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 0, "c"): 3}
    assert parse_yaml("") == (None, {})


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 1e-3), ("1.0e30", 1e30), ("-2E4", -2e4), (".5e+1", 5.0), ("1.e2", 100.0)],
)
def test_a_number_with_an_exponent_is_a_number(text: str, number: float) -> None:
    assert parse_yaml(f"a: {text}")[0] == {"a": number}


@pytest.mark.parametrize("text", ["1e", "e3", "1e3a", "1e-3.5", "'1e3'", "1-e3", "."])
def test_what_is_like_a_number_is_a_text(text: str) -> None:
    assert isinstance(parse_yaml(f"a: {text}")[0]["a"], str)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: a is given twice"),
        ("a:\n  b: 1\n  b: 1\n", r"line 3: a\.b is given twice"),
        ("a: [{b: 1, 'b': 2}]", r"line 1: a\.0\.b is given twice"),
        ("a: &a {b: *a}", "holds itself"),
        ("a: [", "expected"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
    ],
)
def test_refused(text: str, said: str) -> None:
    with pytest.raises(yaml.YAMLError, match=said):
        parse_yaml(text)
