"""The command line: the one place that knows every part.

Imports stand inside the commands, so that ``--help`` is instant.
"""

# Their commands join the application.
from sleepsweep.cli import augment, data, reports, sweeps, sync
from sleepsweep.cli.app import app, main

__all__ = ["app", "augment", "data", "main", "reports", "sweeps", "sync"]
