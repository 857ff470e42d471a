"""What differs between two launches of a sweep, where it must not."""

import json
from textwrap import shorten
from typing import Any

# What may differ between two launches of the same sweep: it cannot change a result.
FREE = ("resources", "tracking", "preset", "confirm")


def differences(before: dict[str, Any], now: dict[str, Any], at: str = "") -> list[str]:
    """Return what of a spec is other than it was, a sentence a key, but for what is free to be."""
    changed = []
    for key in sorted({*before, *now}):
        if not at and key in FREE:
            continue
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            changed += differences(old, new, f"{at}{key}.")
        elif old != new:
            changed.append(f"{at}{key}: {_brief(old)} → {_brief(new)}")
    return changed


def _brief(value: Any) -> str:
    return shorten(json.dumps(value), width=100, placeholder=" …")
