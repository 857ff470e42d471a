import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sleepsweep.errors import UserError
from sleepsweep.learn import registry
from sleepsweep.learn.registry import Registry, import_all


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


def test_every_file_of_a_package_is_imported_without_a_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "some_parts"
    folder.mkdir()
    for name in ("__init__", "first", "second"):
        (folder / f"{name}.py").touch()
    (folder / "notes.txt").touch()
    monkeypatch.syspath_prepend(tmp_path)
    import_all("some_parts", [str(folder)])
    found = [name for name in sys.modules if name.startswith("some_parts")]
    for name in found:
        monkeypatch.delitem(sys.modules, name)
    assert found == ["some_parts", "some_parts.first", "some_parts.second"]
