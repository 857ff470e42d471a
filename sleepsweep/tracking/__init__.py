"""Records a sweep in MLflow: one experiment a sweep, a parent run, a child run a trial.

The only package that imports mlflow.
"""

from sleepsweep.tracking.reader import read_experiment
from sleepsweep.tracking.server import check_server, database_uri, serve_ui, ui_address
from sleepsweep.tracking.tracker import Tracker

__all__ = ["Tracker", "check_server", "database_uri", "read_experiment", "serve_ui", "ui_address"]
