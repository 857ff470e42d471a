"""The validated YAML: one frozen object that says what a sweep asks and how it is answered."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from sleepsweep.augment import Signal
from sleepsweep.baselines import BASELINES
from sleepsweep.data.source import DataSpec
from sleepsweep.data.split import SplitSpec
from sleepsweep.designs import DesignSpec
from sleepsweep.learn.encoder import EncoderSpec
from sleepsweep.learn.pretrain import PretrainSpec
from sleepsweep.learn.probe import ProbeSpec
from sleepsweep.part import PartSpec, only
from sleepsweep.pool import AugmentationsSpec, KeyedError

# Keys of the grammar that this version refuses; the message says so instead of "unknown key".
NOT_YET = frozenset({"policy", "stages", "tracking.tensorboard", "tracking.system_metrics"})


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
    sampler: Annotated[str | None, only(None, "random", "tpe")] = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.trials or self.designs):
            raise ValueError("no trials and no designs: nothing would be run")
        return self

    @property
    def sampler_name(self) -> str:
        """The sampler in force: the one named, or the goal's own."""
        return self.sampler or {"rank": "random", "best": "tpe"}[self.goal]


class SchedulerSpec(PartSpec):
    """The YAML's ``scheduler``: which trials are stopped early, and at which steps."""

    name: Annotated[str, only("asha", "none")] = "asha"
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
    """The YAML's ``resources``: what one trial gets, and how many run at once."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    gpus_per_trial: Annotated[float, only(0)] = 0
    concurrent: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"


class TrackingSpec(PartSpec):
    """The YAML's ``tracking``: an MLflow server, or null for a file beside the results."""

    uri: str | None = None

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


class SweepSpec(PartSpec):
    """A search space, validated: what ``sleepsweep launch`` is asked to do."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    question: str = ""
    preset: str | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    data: DataSpec = DataSpec()
    split: SplitSpec = SplitSpec()
    encoder: EncoderSpec = EncoderSpec()
    pretrain: PretrainSpec = PretrainSpec()
    probe: ProbeSpec = ProbeSpec()
    augmentations: AugmentationsSpec
    search: SearchSpec = SearchSpec()
    scheduler: SchedulerSpec = SchedulerSpec()
    objective: Annotated[str, only("macro_f1")] = "macro_f1"
    confirm: ConfirmSpec = ConfirmSpec()
    resources: ResourcesSpec = ResourcesSpec()
    tracking: TrackingSpec = TrackingSpec()

    @field_validator("augmentations")
    @classmethod
    def _pool_fits(cls, pool: AugmentationsSpec, info: ValidationInfo) -> AugmentationsSpec:
        data = info.data.get("data") or DataSpec()
        pool.check(Signal(sfreq=data.sfreq), data.channels)
        return pool

    @field_validator("search")
    @classmethod
    def _designs_fit(cls, search: SearchSpec, info: ValidationInfo) -> SearchSpec:
        data, pool, split = (info.data.get(part) for part in ("data", "augmentations", "split"))
        if data is None or pool is None or split is None:
            return search  # the mistake is elsewhere
        for place, item in enumerate(search.designs):
            try:
                item.check(pool, split.blocks, Signal(sfreq=data.sfreq), data.channels)
            except KeyedError as error:
                raise KeyedError(str(error), "designs", place, *error.path) from error
        return search

    @field_validator("scheduler")
    @classmethod
    def _grace_fits(cls, scheduler: SchedulerSpec, info: ValidationInfo) -> SchedulerSpec:
        pretrain = info.data.get("pretrain")
        if pretrain is not None and scheduler.grace_steps > pretrain.steps:
            raise ValueError(
                f"grace_steps {scheduler.grace_steps} is beyond pretrain.steps {pretrain.steps}"
            )
        return scheduler

    @property
    def rungs(self) -> tuple[int, ...]:
        """Steps at which every trial is probed; the last one is ``pretrain.steps``."""
        return self.scheduler.rungs(self.pretrain.steps)
