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
    """The YAML's ``search``: how many trials are drawn, by whom, and which are run besides."""

    goal: Literal["rank", "best"] = "rank"
    """``rank`` draws at random, which a ranking needs; ``best`` looks for good policies."""
    trials: Annotated[int, Field(ge=0)] = 100
    """How many are drawn, besides the designed ones; with 0 the designs are all."""
    anchors: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3
    """The share of the drawn trials that are drawn uniformly and never stopped."""
    designs: Annotated[tuple[DesignSpec, ...], Field(strict=False)] = (
        DesignSpec.model_validate("none"),
    )
    """Trials that are laid out beforehand, and never stopped early."""
    stop_designs: bool = False
    """Whether designed trials may be stopped early all the same."""
    baselines: Annotated[
        tuple[Annotated[str, only(*BASELINES)], ...],
        Field(strict=False, validate_default=True),
        BeforeValidator(_switched),
    ] = tuple(BASELINES)
    """What stands beside the policies once a block: ``true`` all, ``false`` none, or some."""
    sampler: Literal["random", "tpe", "gp", "cmaes", "nsga2"] | None = None
    """Who suggests policies; null: ``random`` for ``rank``, ``tpe`` for ``best``."""
    warm_start: str | None = None
    """An earlier sweep, by its folder or its ``trials.parquet``, that the search learns from."""

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
    """The rule by which trials of one block are compared and stopped."""
    grace_steps: Annotated[int, Field(ge=1)] = 250
    """Steps to the first rung: nothing is stopped before it."""
    factor: Annotated[int, Field(ge=2)] = 3
    """From one rung to the next steps grow by it; of so many trials the best one goes on."""

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
    """How many of the best policies are run again, beside the best single one and none."""
    blocks: Annotated[int, Field(ge=2)] = 10
    """On how many fresh blocks, the same for all of them."""


class ResourcesSpec(PartSpec):
    """The YAML's ``resources``: what one trial gets, how many run at once, and where.

    With a `pack` of several, a process that trains them gets what one trial would have got.
    """

    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    """Processors of a trial, or of the process that trains several."""
    gpus_per_trial: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """The part of a GPU that a trial gets, or the process that trains several; below 1 shared."""
    pack: Literal["auto"] | Annotated[int, Field(ge=1)] = 1
    """How many trials one process trains in one program; ``auto``: measured on a GPU, 1 without."""
    concurrent: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """How many trials run at once; ``auto``: as many as there are processors or GPUs for."""
    cluster: str | None = None
    """A Ray cluster: ``host:port``, or ``auto`` for this machine's; null: one of its own, here."""

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
    def members(self) -> int:
        """How many trials one process trains; 1 as long as that is to be measured."""
        return 1 if self.pack == "auto" else self.pack

    @property
    def processes_per_gpu(self) -> int:
        """How many processes that train share a GPU; 0 where they use none."""
        return int(1 / self.gpus_per_trial + 1e-9) if self.gpus_per_trial else 0

    @property
    def trials_per_gpu(self) -> int:
        """How many trials share a GPU; 0 where they use none."""
        return self.processes_per_gpu * self.members

    def with_fewer_on_a_gpu(self) -> Self:
        """Return the resources with half as many trials on each GPU, and at least one."""
        if self.members > 1:
            return self.model_copy(update={"pack": self.members // 2})
        return self.model_copy(update={"gpus_per_trial": 1 / max(self.processes_per_gpu // 2, 1)})


class TrackingSpec(PartSpec):
    """The YAML's ``tracking``: what is kept of a run, and where, besides its folder."""

    uri: str | None = None
    """An MLflow server; null: the file ``mlflow.db`` in the folder."""
    tensorboard: bool = False
    """Write TensorBoard's event files too, into ``tensorboard/``."""
    system_metrics: bool = False
    """Sample what each trial takes of its machine: processor, memory, GPU."""

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
