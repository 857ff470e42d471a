"""The validated YAML: one frozen object that says what a sweep asks and how it is answered."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

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
from sleepsweep.ranges import Range
from sleepsweep.searched import check_ends, with_ranges, without_ranges
from sleepsweep.trial import PARTS, Parts

OBJECTIVES = {"macro_f1": "max", "accuracy": "max", "kappa": "max", "time_s": "min"}
"""What a search may look for, and whether more or less of it is better."""

# Keys of the grammar that this version refuses; the message says so instead of "unknown key".
NOT_YET = frozenset({"policy", "stages", "tracking.tensorboard"})


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
    """The YAML's ``resources``: what one trial gets, and how many run at once."""

    cpus_per_trial: Annotated[int, Field(ge=1)] = 1
    gpus_per_trial: Annotated[float, only(0)] = 0
    concurrent: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"


class TrackingSpec(PartSpec):
    """The YAML's ``tracking``: an MLflow server, or null for a file beside the results.

    With ``system_metrics``, what each trial takes of its machine (processor, memory, GPU) as well.
    """

    uri: str | None = None
    system_metrics: bool = False

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


def _sought(objective: str | tuple[str, ...]) -> str | tuple[str, ...]:
    names = (objective,) if isinstance(objective, str) else objective
    allowed = ", ".join(OBJECTIVES)
    for name in names:
        if name not in OBJECTIVES:
            raise ValueError(f"unknown objective {name!r}; allowed: {allowed}, or a list of them")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"name each objective once; allowed: {allowed}")
    if OBJECTIVES[names[0]] == "min":
        raise ValueError(
            f"{names[0]} cannot come first: the first objective stops trials early, and is a score"
        )
    return objective


class SweepSpec(PartSpec):
    """A search space, validated: what ``sleepsweep launch`` is asked to do.

    Where a scalar of `encoder`, `pretrain` or `probe` is searched, `searched` holds its range and
    the section the range's first value.
    """

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
    objective: Annotated[
        str | Annotated[tuple[str, ...], Field(strict=False)], AfterValidator(_sought)
    ] = "macro_f1"
    confirm: ConfirmSpec = ConfirmSpec()
    resources: ResourcesSpec = ResourcesSpec()
    tracking: TrackingSpec = TrackingSpec()
    _searched: dict[str, Range] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _take_ranges(cls, tree: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(tree, dict):
            return handler(tree)
        plain, ranges = without_ranges(tree)
        spec = handler(plain)
        check_ends(spec.parts, ranges)
        spec._searched.update(ranges)
        return spec

    @model_serializer(mode="wrap")
    def _write(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return with_ranges(handler(self), self._searched)

    @property
    def searched(self) -> Mapping[str, Range]:
        """Ranges of the searched scalars by dotted path, e.g. ``pretrain.temperature``."""
        return self._searched

    @property
    def parts(self) -> Parts:
        """What a trial is made of besides its policy, searched scalars at their first value."""
        return Parts(self.encoder, self.pretrain, self.probe)

    @property
    def settings(self) -> dict[str, Any]:
        """Every scalar of the parts by dotted path; a searched one's range, as YAML has it."""
        plain = self.model_dump(mode="json", include=set(PARTS))
        return {f"{part}.{key}": value for part in PARTS for key, value in plain[part].items()}

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

    @field_validator("objective")
    @classmethod
    def _sampler_fits(
        cls, objective: str | tuple[str, ...], info: ValidationInfo
    ) -> str | tuple[str, ...]:
        search = info.data.get("search")
        several = not isinstance(objective, str) and len(objective) > 1
        if several and search is not None and search.sampler_name == "cmaes":
            raise ValueError("search.sampler cmaes takes one objective; give nsga2, gp or tpe")
        return objective

    @property
    def objectives(self) -> tuple[str, ...]:
        """What the search looks for; early stopping reads the first one only."""
        return (self.objective,) if isinstance(self.objective, str) else self.objective

    @property
    def rungs(self) -> tuple[int, ...]:
        """Steps at which every trial is probed; the last one is ``pretrain.steps``."""
        return self.scheduler.rungs(self.pretrain.steps)
