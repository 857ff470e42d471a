"""The validated YAML: one frozen object that says what a sweep asks and how it is answered."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import (
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from sleepsweep.augment import Signal
from sleepsweep.data.source import DataSpec
from sleepsweep.learn.pretrainspec import PretrainSpec
from sleepsweep.spec.objectives import Objective
from sleepsweep.spec.pool import AugmentationsSpec, KeyedError
from sleepsweep.spec.ranges import Range
from sleepsweep.spec.searched import check_ends, with_ranges, without_ranges
from sleepsweep.spec.sections import (
    ConfirmSpec,
    ResourcesSpec,
    SchedulerSpec,
    SearchSpec,
)
from sleepsweep.spec.studyspec import StudySpec
from sleepsweep.trial import PARTS, Parts

OF_AN_EXPERIMENT = "belongs to a single experiment, which sleepsweep train runs; remove it here"


class SweepSpec(StudySpec):
    """A search space, validated: what ``sleepsweep launch`` is asked to do.

    Where a scalar of `encoder`, `pretrain` or `probe` is searched, `searched` holds its range and
    the section the range's first value.
    """

    what: ClassVar[str] = "a search space"
    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("policy", "stages", "finetune", "latent", "block"), OF_AN_EXPERIMENT
    )

    augmentations: AugmentationsSpec
    """What policies are drawn from, and of which sizes."""
    search: SearchSpec = SearchSpec()
    """How many trials are drawn, by whom, and which are laid out beforehand."""
    scheduler: SchedulerSpec = SchedulerSpec()
    """Which trials are stopped early, and at which steps."""
    objective: Objective = "macro_f1"
    """`macro_f1`, `accuracy`, `kappa` or `time_s`, or a list, of which the first stops trials."""
    confirm: ConfirmSpec = ConfirmSpec()
    """How the best policies are run again, by ``sleepsweep confirm``."""
    resources: ResourcesSpec = ResourcesSpec()
    """What a trial gets, how many run at once, and where."""
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
        return {
            f"{part}.{key}": plain[part].get(key, entry.default)
            for part, kind in PARTS.items()
            for key, entry in kind.model_fields.items()
        }

    @field_validator("pretrain")
    @classmethod
    def _scheduler_stops(cls, pretrain: PretrainSpec) -> PretrainSpec:
        for key in ("check_interval", "min_improvement"):
            if getattr(pretrain, key) != PretrainSpec.model_fields[key].default:
                raise KeyedError(
                    "stops a single pretraining (`sleepsweep train`); in a sweep the scheduler "
                    "stops trials, at their rungs: remove this key and see scheduler.grace_steps",
                    key,
                )
        return pretrain

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
