"""The recordings of a sweep that was launched, as its trials may read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sleepsweep.data.store import Store


def open_store(manifest: Mapping[str, Any]) -> Store:
    """Open the store that ``sweep.json`` names; it withholds the test subjects.

    Raises `UserError` when it is not there any more, or damaged.
    """
    return Store.open(Path(manifest["store"])).withholding(manifest["test_subjects"])
