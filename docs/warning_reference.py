"""A hook of MkDocs: what each warning of a report means, from the function that raises it."""

import inspect
from collections.abc import Iterator
from typing import Any

from sleepsweep_analysis.warnings import CHECKS, CLAIMS

MARK = "<!-- reference: warnings -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the reference where a page asks for it."""
    return markdown.replace(MARK, warning_reference()) if MARK in markdown else markdown


def warning_reference() -> str:
    """Every warning, and the claims that one may take away, as Markdown."""
    warnings = "\n\n".join(f"### {codes}\n\n{text}" for codes, text in warnings_by_code())
    claims = "\n".join(f"| `{name}` | {words} |" for name, words in CLAIMS.items())
    return f"{warnings}\n\n## Claims\n\n| in `results.json` | the claim |\n|---|---|\n{claims}\n"


def warnings_by_code() -> Iterator[tuple[str, str]]:
    """The code, or codes, of each check and what its docstring says of it."""
    for check in CHECKS:
        codes, _, text = (inspect.getdoc(check) or "").partition(": ")
        yield codes, text[:1].upper() + text[1:]
