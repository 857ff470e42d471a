"""The environment of a local Ray, which has to stand before ray is imported."""

import os

LOCAL_RAY = {
    # Ray's own switch between a cluster and one machine: at 0 all of it listens on loopback only.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # The display is sleepsweep's own, the record is the folder's, and nothing is sent to anybody.
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ray's own snapshots of the run grow with it, and nothing reads them again.
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def set_local_ray() -> None:
    """Set the environment; without effect on a ray that is imported already."""
    os.environ.update(LOCAL_RAY)
