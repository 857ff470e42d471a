"""Joining a Ray cluster, and whether its nodes can do what a sweep asks of them."""

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import sleepsweep
from sleepsweep.errors import UserError

KNOCK_S, JOINING_S = 10.0, 60.0
PATIENCE_S = 120.0
"""Seconds in which a node must have told what it has."""


def join_cluster(address: str, options: Mapping[str, Any]) -> None:
    """Connect to the Ray cluster at `address`, ``host:port`` or ``auto``.

    In a job of Slurm, Ray is waited for on all of its nodes, up to a minute: how many trials run at
    once is counted when a sweep begins. It goes on without those that do not come, and says so.
    Raises `UserError` where there is no cluster, or it does not let us in.
    """
    try:
        _knock(address)
        ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"--cluster {address}: cannot be joined ({first}). Is a Ray cluster up there, of the "
            f"version {ray.__version__}, and is RAY_AUTH_TOKEN its token, where it has one?"
        ) from error
    _await_nodes(int(os.environ.get("SLURM_JOB_NUM_NODES", "1")))


def _await_nodes(wanted: int) -> None:
    until = time.monotonic() + JOINING_S
    while (joined := len(_alive())) < wanted and time.monotonic() < until:
        time.sleep(0.5)
    if joined < wanted:
        print(
            f"sleepsweep: only {joined} of the job's {wanted} nodes joined its Ray cluster within "
            f"{JOINING_S:g} s: the sweep runs on fewer.", file=sys.stderr,
        )  # fmt: skip


def _alive() -> list[dict[str, Any]]:
    """By the names of their hosts: Ray lists them in any order."""
    nodes = [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    return sorted(nodes, key=lambda node: str(node["NodeManagerHostname"]))


def _knock(address: str) -> None:
    """Raise `OSError` where nobody listens: Ray itself would ask for minutes."""
    host, colon, port = address.partition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=KNOCK_S).close()


def check_nodes(folders: Sequence[Path], *, gpus: bool = False) -> None:
    """Raise `UserError` for nodes with another sleepsweep, or that do not see the `folders`.

    Where trials want `gpus`, also for nodes that have some, and a torch that cannot use them.
    """
    names, waiting = [str(folder) for folder in folders], {}
    for node in _alive():
        strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        wanted = gpus and node["Resources"].get("GPU", 0) > 0
        probe = _probe(sleepsweep.__version__, names, gpus=wanted)
        task = ray.remote(probe).options(num_cpus=0, scheduling_strategy=strategy)
        waiting[task.remote()] = node["NodeManagerHostname"]
    troubles = []
    for answer, host in waiting.items():
        try:
            said = ray.get(answer, timeout=PATIENCE_S)
        except ray.exceptions.RayError as error:
            said = f"does not answer ({type(error).__name__})"
        if said:
            troubles.append(f"{host} {said}")
    if troubles:
        raise UserError(
            f"the cluster cannot run this sweep: {'; '.join(troubles)}. Install the same version "
            "on every node, and keep the sweep's folder (--out) and the prepared recordings "
            "(SLEEPSWEEP_CACHE) where all nodes see them."
        )


def _probe(version: str, folders: Sequence[str], *, gpus: bool = False) -> Callable[[], str]:
    """What a node is asked; a function inside another travels as code, not by its name there."""

    def probe() -> str:
        import os

        try:
            import sleepsweep as there
        except ImportError:
            return "has no sleepsweep"
        if there.__version__ != version:
            return f"has sleepsweep {there.__version__}, this is {version}"
        if gpus:
            import torch

            if torch.version.cuda is None:
                return f"has GPUs, and torch {torch.__version__}, which is built without CUDA"
        missing = [folder for folder in folders if not os.path.isdir(folder)]  # noqa: PTH112
        return f"does not see {', '.join(missing)}" if missing else ""

    return probe
