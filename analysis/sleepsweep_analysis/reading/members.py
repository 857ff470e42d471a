"""The policies of a table from elsewhere: members, their p and severity, their categories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sleepsweep_analysis.reading.cells import Cells

__all__ = ["UNCATEGORISED", "Policies"]

UNCATEGORISED = "uncategorised"
NAN = float("nan")


@dataclass(frozen=True)
class Policies:
    """The policy of each row in `rows`, in the order of the file, and the `pool` of all names."""

    rows: tuple[tuple[str, ...], ...]
    pool: tuple[str, ...]

    @classmethod
    def of_cells(cls, cells: Cells) -> "Policies":
        """Read the column ``augmentations``, or else the columns ``on.NAME``."""
        if "augmentations" in cells:
            rows = tuple(cells.names("augmentations"))
            return cls(rows, tuple(dict.fromkeys(name for policy in rows for name in policy)))
        switches = {name[3:]: cells.switches(name) for name in cells.named("on.")}
        rows = tuple(
            tuple(name for name, on in switches.items() if on[row]) for row in range(len(cells))
        )
        return cls(rows, tuple(switches))

    def columns(self, cells: Cells) -> dict[str, list[Any]]:
        """Switch, p and severity of each augmentation; size, sum of p and text of each policy."""
        columns: dict[str, list[Any]] = {
            f"on.{name}": [name in policy for policy in self.rows] for name in self.pool
        }
        for prefix, parallel in (("p.", "probabilities"), ("severity.", "severities")):
            columns |= self._values(cells, prefix, parallel)
        sums = [sum(columns[f"p.{n}"][row] for n in names) for row, names in enumerate(self.rows)]
        given = cells.numbers("p_sum") if "p_sum" in cells else [NAN] * len(cells)
        columns["p_sum"] = [s if np.isnan(g) else g for g, s in zip(given, sums, strict=True)]
        columns["size"] = self._sizes(cells)
        columns["policy"] = [self._text(columns, row) for row in range(len(self.rows))]
        return columns

    def categories(
        self, cells: Cells, given: Mapping[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        """Category of each augmentation of the pool, and notes about where it comes from."""
        groups: dict[str, str] = {}
        if "group" in cells:
            for policy, group in zip(self.rows, cells.text("group"), strict=True):
                if len(policy) == 1 and group:
                    groups.setdefault(policy[0], group)
        found = {name: given.get(name) or groups.get(name, UNCATEGORISED) for name in self.pool}
        notes = []
        if set(groups) - set(given):
            notes.append("A category is the group of rows in which an augmentation stands alone.")
        without = [name for name, category in found.items() if category == UNCATEGORISED]
        if without:
            notes.append(f"Without a category: {', '.join(without)}.")
        return found, notes

    def _values(self, cells: Cells, prefix: str, parallel: str) -> dict[str, list[float]]:
        columns = {}
        for name in self.pool:
            single = prefix + name
            columns[single] = cells.shares(single) if single in cells else [NAN] * len(cells)
        if parallel in cells:
            for row, values in enumerate(cells.lists(parallel, self.rows)):
                for name, value in zip(self.rows[row], values, strict=True):
                    columns[prefix + name][row] = value
        return columns

    def _sizes(self, cells: Cells) -> list[int]:
        sizes = [len(policy) for policy in self.rows]
        for row, size in enumerate(cells.counts("size") if "size" in cells else []):
            if size is not None and size != sizes[row]:
                raise cells.error(row, "size", f"{size}, but the policy has {sizes[row]}")
        return sizes

    def _text(self, columns: Mapping[str, list[Any]], row: int) -> str:
        """The canonical text of a policy: its members in pool order with severity and p."""
        members = []
        for name in sorted(self.rows[row], key=self.pool.index):
            drawn = {key: columns[f"{key}.{name}"][row] for key in ("severity", "p")}
            known = ", ".join(f"{k}={v:g}" for k, v in drawn.items() if not np.isnan(v))
            members.append(f"{name}({known})" if known else name)
        return " + ".join(members) or "none"
