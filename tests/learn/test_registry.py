from importlib.metadata import EntryPoint

import pytest

from sleepsweep.errors import UserError
from sleepsweep.learn import registry
from sleepsweep.learn.registry import Registry


class One:
    pass


class Two:
    pass


def offered(monkeypatch: pytest.MonkeyPatch, point: EntryPoint) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "g" else [])


def test_names_are_looked_up_with_the_nearest_in_the_message() -> None:
    parts: Registry[object] = Registry("part", "none")
    parts.add("second", Two)
    parts.add("first", One)
    assert parts.get("first") is One
    assert list(parts.all()) == ["first", "second"]
    with pytest.raises(UserError, match=r"unknown part 'frist'. Did you mean first\? Known: f"):
        parts.get("frist")
    with pytest.raises(TypeError, match=r"'first' is used twice: by .*One and .*Two"):
        parts.add("first", Two)
    assert parts.get("first") is One


def test_an_installed_package_offers_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parts: Registry[object] = Registry("part", "g")
    offered(monkeypatch, EntryPoint("one", f"{__name__}:One", "g"))
    monkeypatch.setattr(EntryPoint, "load", lambda _: parts.add("one", One) or One)
    assert parts.get("one") is One
    assert parts.get("one") is One  # loaded once, or the name would be used twice


def test_an_entry_point_that_offers_something_else_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts: Registry[object] = Registry("part", "g")
    offered(monkeypatch, EntryPoint("one", "collections:OrderedDict", "g"))
    with pytest.raises(TypeError, match=r"one = collections:OrderedDict of g: is no part"):
        parts.get("one")
