"""What ``sleepsweep augment list`` prints: every augmentation, its parameters and severities."""

from collections.abc import Iterable

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sleepsweep.augment import Augmentation, Placebo, augmentations, parameters
from sleepsweep.terminal.tables import section, table

SEVERITIES = (0.25, 0.5, 0.75, 1)
"""Where the map from severity is shown; severity 0 is the identity of every augmentation."""

LEGEND = (
    "Severity 0 is the epoch to the bit, 0.5 the published default, 1 the strongest sensible. "
    "Where there is none, p is the dial. Parameters stand at their defaults; one without a value "
    "is an alternative, which excludes those it stands for. Definitions and papers: "
    "sleepsweep augment show, docs/augmentations.md."
)


def augmentation_list() -> Group:
    """Every augmentation that is legal in a YAML, category by category; the placebo is none."""
    kinds = [kind for kind in augmentations().values() if kind is not Placebo]
    return Group(section(f"{len(kinds)} augmentations", _table(kinds)), Text(f"\n{LEGEND}"))


def severity_map(kind: type[Augmentation]) -> dict[float, str]:
    """The value of the dial's field at each of `SEVERITIES`; empty where there is no dial."""
    if kind.dial is None:
        return {}
    return {
        severity: _plain(getattr(kind.at_severity(severity), kind.dial.field))
        for severity in SEVERITIES
    }


def defaults(kind: type[Augmentation]) -> list[str]:
    """Each parameter with its default; the bare name of an alternative, which has none."""
    return [
        name if each.default is None else f"{name}={_plain(each.default)}"
        for name, each in parameters(kind).items()
    ]


def _table(kinds: list[type[Augmentation]]) -> Table:
    columns = ("category", "parameters", f"at severity {_joined(SEVERITIES)}")
    made = table(*columns, first="name", words=columns)
    made.columns[0].no_wrap = True
    for column in made.columns[2:]:
        column.overflow = "fold"
    for kind in kinds:
        values = _joined(severity_map(kind).values())
        dial = f"{kind.dial.field} {values}" if kind.dial else "none: p is its dial"
        name = "\n".join([kind.__name__, *(f"= {alias}" for alias in kind.aliases)])
        made.add_row(name, kind.category, ", ".join(defaults(kind)), dial)
    return made


def _joined(values: Iterable[float | str]) -> str:
    return ", ".join(str(value) for value in values)


def _plain(value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f"{value:.3g}"
