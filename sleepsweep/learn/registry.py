"""Classes by name: those of a package's own files, and those that installed packages offer.

A package offers its own by an entry point whose name is the class's. It is loaded when a name is
first looked up.
"""

import difflib
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar

from sleepsweep.errors import UserError

Kind = TypeVar("Kind")


class Registry(Generic[Kind]):
    """The one list of a kind of part; classes enter it as they are defined."""

    def __init__(self, kind: str, group: str) -> None:
        """`kind` is what messages call such a part, `group` the one of its entry points."""
        self._kind = kind
        self._group = group
        self._by_name: dict[str, type[Kind]] = {}
        self._loaded = False

    def add(self, name: str, part: type[Kind]) -> None:
        """Make a class known. Raises `TypeError` for a name that is in use."""
        if name in self._by_name:
            users = " and ".join(
                f"{used.__module__}.{used.__qualname__}" for used in (self._by_name[name], part)
            )
            raise TypeError(f"{self._kind} name {name!r} is used twice: by {users}.")
        self._by_name[name] = part

    def get(self, name: str) -> type[Kind]:
        """Return the class of a name; `UserError` with the nearest and all names otherwise."""
        known = self.all()
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UserError(f"unknown {self._kind} {name!r}.{hint} Known: {', '.join(known)}.")

    def checked(self, name: str) -> str:
        """Return a name that is known; `ValueError`, as validators raise it, otherwise."""
        try:
            self.get(name)
        except UserError as error:
            raise ValueError(str(error)) from error
        return name

    def all(self) -> dict[str, type[Kind]]:
        """Return every class by its name, those of installed packages too."""
        self._load_entry_points()
        return dict(sorted(self._by_name.items()))

    def _load_entry_points(self) -> None:
        if self._loaded:
            return
        # Loading imports the module, which registers its classes: a name in use is refused there.
        for point in entry_points(group=self._group):
            loaded = point.load()
            if self._by_name.get(point.name) is not loaded:
                raise TypeError(
                    f"entry point {point.name} = {point.value} of {self._group}: is no "
                    f"{self._kind} of that name."
                )
        self._loaded = True


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that the classes of its files register themselves."""
    for module in iter_modules(path):
        import_module(f"{package}.{module.name}")
