"""The terminal that commands print to."""

from typing import Any

from rich.console import Console


class Terminal(Console):
    """A console that breaks no line that asks not to be broken, and cuts none.

    A command or a path can then be copied from a narrow terminal and from a log, where nobody's
    window is 80 columns wide.
    """

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as `rich.console.Console.print` does, but for lines wider than the terminal."""
        super().print(*objects, **{"crop": False, **options})
