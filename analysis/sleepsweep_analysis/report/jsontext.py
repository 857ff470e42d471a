"""JSON that is legal everywhere: no NaN, no NumPy, and nothing that could end a script tag."""

import json
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

__all__ = ["for_script", "plain", "records", "text"]

DIGITS = 6
"""Significant digits of the numbers: more only make the page larger."""


def plain(value: Any) -> Any:
    """`value` with NumPy scalars as Python's, floats rounded, and NaN and infinities as null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain dictionaries."""
    found: list[dict[str, Any]] = plain(frame.to_dict("records"))
    return found


def text(value: Any) -> str:
    """Indented JSON, for a file."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def for_script(value: Any) -> Markup:
    """JSON inside a script tag, which no name can leave: <, > and & are written as \\u escapes."""
    found = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        found = found.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(found)
