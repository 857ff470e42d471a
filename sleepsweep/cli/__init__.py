"""The command line: the one place that knows every part.

Imports stand inside the commands, so that ``--help`` is instant.
"""

# Their commands join the application, in the order in which --help shows them.
from sleepsweep.cli import sweeps, planning, control, confirm, reports, policy, sync  # isort: skip
from sleepsweep.cli import slurm, train, models, predict, data, augment  # isort: skip
from sleepsweep.cli.app import app, main

__all__ = [
    "app", "augment", "confirm", "control", "data", "main", "models", "planning", "policy",
    "predict", "reports", "slurm", "sweeps", "sync", "train",
]  # fmt: skip
