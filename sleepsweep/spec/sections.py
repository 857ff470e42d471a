"""The YAML's sections on how a sweep is run: search, scheduler, confirm, resources, tracking."""

import re
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator, model_validator

from sleepsweep.baselines import BASELINES
from sleepsweep.designs import DesignSpec
from sleepsweep.part import PartSpec, only
from sleepsweep.spec.pool import KeyedError


def _switched(baselines: Any) -> Any:
    if isinstance(baselines, bool):
        return tuple(BASELINES) if baselines else ()
    return baselines


class SearchSpec(PartSpec):
    """The YAML's ``search``: how many trials are drawn, by whom, and which are run besides.

    Trials of `designs` are never stopped early, unless `stop_designs` asks for it. `baselines` are
    all (true), none (false) or those that are named.
    """

    goal: Literal["rank", "best"] = "rank"
    trials: Annotated[int, Field(ge=0)] = 100
    anchors: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3
    designs: Annotated[tuple[DesignSpec, ...], Field(strict=False)] = (
        DesignSpec.model_validate("none"),
    )
    stop_designs: bool = False
    baselines: Annotated[
        tuple[Annotated[str, only(*BASELINES)], ...],
        Field(strict=False, validate_default=True),
        BeforeValidator(_switched),
    ] = tuple(BASELINES)
    sampler: Literal["random", "tpe", "gp", "cmaes", "nsga2"] | None = None
    warm_start: str | None = None

    @field_validator("sampler")
    @classmethod
    def _is_installed(cls, sampler: str | None) -> str | None:
        if sampler == "cmaes" and find_spec("cmaes") is None:
            raise ValueError(
                "cmaes needs a package that is not installed: pip install 'sleepsweep[cmaes]'"
            )
        return sampler

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.trials or self.designs):
            raise ValueError("no trials and no designs: nothing would be run")
        if self.warm_start is not None and self.sampler_name == "random":
            raise KeyedError(
                "random draws learn from no earlier sweep; give a sampler that does, or goal: best",
                "warm_start",
            )
        return self

    @property
    def sampler_name(self) -> str:
        """The sampler in force: the one named, or the goal's own."""
        return self.sampler or {"rank": "random", "best": "tpe"}[self.goal]


class SchedulerSpec(PartSpec):
    """The YAML's ``scheduler``: which trials are stopped early, and at which steps."""

    name: Literal["asha", "hyperband", "median", "none"] = "asha"
    grace_steps: Annotated[int, Field(ge=1)] = 250
    factor: Annotated[int, Field(ge=2)] = 3

    def rungs(self, steps: int) -> tuple[int, ...]:
        """Steps at which a trial is probed: grace_steps · factor^k below `steps`, and `steps`."""
        early = []
        step = self.grace_steps
        while step < steps:
            early.append(step)
            step *= self.factor
        return (*early, steps)


class ConfirmSpec(PartSpec):
    """The YAML's ``confirm``: how many policies are run again, on how many fresh blocks."""

    top: Annotated[int, Field(ge=1, le=10)] = 3
    blocks: Annotated[int, Field(ge=2)] = 10


class ResourcesSpec(PartSpec):
    """The YAML's ``resources``: what one trial gets, how many run at once, and where.

    `concurrent` is by default as many as there are processors for. `cluster` is the address of a
    Ray cluster, ``host:port`` or ``auto`` for the one that this machine belongs to; null: a Ray of
    this launch's own, on this machine. With `gpus_per_trial` trials are trained on GPUs, and
    several share one where it is a fraction.
    """

    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    gpus_per_trial: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    concurrent: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    cluster: str | None = None

    @field_validator("cluster")
    @classmethod
    def _is_reachable(cls, cluster: str | None) -> str | None:
        if cluster is None or cluster == "auto" or re.fullmatch(r"[\w.-]+:\d{1,5}", cluster):
            return cluster
        if cluster.startswith("ray://"):
            raise ValueError(
                f"{cluster} is the address of Ray's client, which would run the sweep's driver on "
                "the cluster, away from the sweep's folder; launch on a node of the cluster and "
                "give auto, or host:port of its head"
            )
        raise ValueError(f"{cluster!r} is no address; allowed: auto, host:port, null")

    @property
    def device(self) -> str:
        """What trials are trained on, as torch calls it."""
        return "cuda" if self.gpus_per_trial else "cpu"

    @property
    def trials_per_gpu(self) -> int:
        """How many trials share a GPU; 0 where they use none."""
        return int(1 / self.gpus_per_trial + 1e-9) if self.gpus_per_trial else 0

    def with_fewer_on_a_gpu(self) -> Self:
        """Return the resources with half as many trials on each GPU, and at least one."""
        return self.model_copy(update={"gpus_per_trial": 1 / max(self.trials_per_gpu // 2, 1)})


class TrackingSpec(PartSpec):
    """The YAML's ``tracking``: an MLflow server, or null for a file beside the results.

    With ``tensorboard``, TensorBoard's event files beside it. With ``system_metrics``, what each
    trial takes of its machine (processor, memory, GPU) as well.
    """

    uri: str | None = None
    tensorboard: bool = False
    system_metrics: bool = False

    @field_validator("tensorboard")
    @classmethod
    def _is_installed(cls, tensorboard: bool) -> bool:
        if tensorboard and find_spec("tensorboard") is None:
            raise ValueError(
                "needs a package that is not installed: pip install 'sleepsweep[tensorboard]'"
            )
        return tensorboard

    @field_validator("uri")
    @classmethod
    def _no_password(cls, uri: str | None) -> str | None:
        # The spec is written into the report and into MLflow itself.
        if uri is not None and "@" in urlsplit(uri).netloc:
            raise ValueError(
                "holds a user name; give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD "
                "in the environment instead"
            )
        return uri
