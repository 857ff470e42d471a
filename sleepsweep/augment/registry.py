"""The one list of augmentations, by name: this package's own, and those of installed packages.

A package offers its own by an entry point of the group ``sleepsweep.augmentations`` whose name is
the class's. It is loaded when a name is first looked up.
"""

import difflib
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from sleepsweep.errors import UserError

if TYPE_CHECKING:
    from sleepsweep.augment.base import Augmentation

ENTRY_POINTS = "sleepsweep.augmentations"

_BY_NAME: dict[str, type["Augmentation"]] = {}


def augmentation(name: str) -> type["Augmentation"]:
    """Return the class of a name or alias; `UserError` with the nearest name otherwise."""
    _load_entry_points()
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(str(name), list(_BY_NAME), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise UserError(f"unknown augmentation {name!r}.{hint} Known: {', '.join(augmentations())}.")


def augmentations() -> dict[str, type["Augmentation"]]:
    """Return every registered class by its canonical name, category by category."""
    _load_entry_points()
    return {name: cls for name, cls in _BY_NAME.items() if name == cls.__name__}


def register(cls: type["Augmentation"]) -> None:
    """Make a class known by its name and aliases. Raises `TypeError` for one that is in use."""
    if not cls.category:
        raise TypeError(f"{cls.__name__} has no category: inherit from a category or set one.")
    for name in (cls.__name__, *cls.aliases):
        if name in _BY_NAME:
            raise TypeError(
                f"augmentation name {name!r} is used twice: by {_BY_NAME[name].__qualname__} and "
                f"{cls.__qualname__} (dataclass(slots=True) registers a class twice, too)."
            )
    _BY_NAME.update(dict.fromkeys((cls.__name__, *cls.aliases), cls))


@cache
def _load_entry_points() -> None:
    # Loading imports the module, which registers its classes: a name in use is refused there.
    for point in entry_points(group=ENTRY_POINTS):
        loaded = point.load()
        if _BY_NAME.get(point.name) is not loaded:
            raise TypeError(
                f"entry point {point.name} = {point.value} of {ENTRY_POINTS}: is no Augmentation "
                "of that name."
            )
