"""The environment of Ray, which has to stand before ray is imported."""

import os

QUIET = {
    # The display is sleepsweep's own, the record is the folder's, and nothing is sent to anybody.
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # Ray's own snapshots of the run grow with it, and nothing reads them again.
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
# Ray's own switch between a cluster and one machine: at 0 all of it listens on loopback only.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def set_ray(cluster: str | None = None) -> None:
    """Set the environment of a local Ray, or of one that joins the `cluster` at an address.

    Without effect on a ray that is imported already.
    """
    os.environ.update(QUIET if cluster else QUIET | LOOPBACK)
