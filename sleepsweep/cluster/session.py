"""A Ray for one sweep, on this machine or on a cluster, and how many trials run on it at once."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any

import ray

from sleepsweep.cluster.nodes import check_nodes, join_cluster
from sleepsweep.errors import UserError
from sleepsweep.spec.sections import ResourcesSpec
from sleepsweep.torchlater import torch

SILENT: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}


@contextmanager
def ray_for(resources: ResourcesSpec, folders: Sequence[Path]) -> Iterator[None]:
    """A local Ray, or the cluster that `resources` name, whose nodes must see the `folders`.

    Raises `UserError` where the cluster cannot be joined, where a node cannot run the sweep, or
    where trials want a GPU and there is none.
    """
    with _quiet_start():
        if resources.cluster is None:
            gpus = torch.cuda.device_count() if resources.gpus_per_trial else 0
            _check_gpus(resources, gpus, "this machine")
            ray.init(
                address="local", num_cpus=processes(resources) * resources.cpus_per_trial,
                num_gpus=gpus,
                include_dashboard=False, **SILENT,
            )  # fmt: skip
        else:
            join_cluster(resources.cluster, SILENT)
    try:
        if resources.cluster is not None:
            _check_gpus(resources, _cluster_has("GPU"), f"the cluster {resources.cluster}")
            check_nodes(folders, gpus=resources.gpus_per_trial > 0)
        yield
    finally:
        ray.shutdown()


def concurrent(resources: ResourcesSpec) -> int:
    """Return how many trials run at once, on the cluster where one has been joined."""
    if resources.concurrent != "auto":
        return resources.concurrent
    joined = resources.cluster is not None and ray.is_initialized()
    cpus = _cluster_has("CPU") if joined else cpu_count()
    most = cpus // resources.cpus_per_trial
    if resources.gpus_per_trial:
        gpus = _cluster_has("GPU") if joined else torch.cuda.device_count()
        most = min(most, gpus * resources.processes_per_gpu)
    return max(most, 1) * resources.members


def processes(resources: ResourcesSpec) -> int:
    """Return how many processes train so many trials."""
    return ceil(concurrent(resources) / resources.members)


def cpu_count() -> int:
    """Return the number of processors this process may use."""
    return len(os.sched_getaffinity(0))


def _cluster_has(what: str) -> int:
    return int(ray.cluster_resources().get(what, 0))  # type: ignore[no-untyped-call]


def _check_gpus(resources: ResourcesSpec, gpus: int, where: str) -> None:
    if resources.gpus_per_trial and not gpus:
        raise UserError(
            f"resources.gpus_per_trial is {resources.gpus_per_trial:g}, but {where} has no GPU "
            "that can be used. Set it to 0 to train on processors, or launch where there is a GPU."
        )


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Let Ray write its token for its owner only, and keep it from answering signals for us."""
    before, on_sigterm = os.umask(0o077), signal.getsignal(signal.SIGTERM)
    try:
        yield
        # A failed trial is reported by the folder and at the end, with its traceback in a file.
        logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    except SystemExit as end:
        # While it starts, Ray answers SIGTERM in its own way; it is the end that Ctrl-C is.
        raise KeyboardInterrupt from end
    finally:
        os.umask(before)
        if signal.getsignal(signal.SIGTERM) is not on_sigterm:
            signal.signal(signal.SIGTERM, on_sigterm)
