"""sleepsweep: which augmentations make contrastive pretraining on sleep EEG work.

A YAML question goes in, trials run on Ray, every rung of every trial is recorded in MLflow, and a
statistics package that has never heard of Ray or torch turns the recorded table into a report.
"""

from sleepsweep.version import installed_version

__version__ = installed_version()
