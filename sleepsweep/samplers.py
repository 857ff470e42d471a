"""Optuna's samplers by the names that a search space gives them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial, TrialState

# Of a sweep's hundred trials several generations must come; Optuna's own 50 would make two.
POPULATION = 16


@dataclass(frozen=True)
class Sampler:
    """A sampler: how it is made from a seed, and what it can do.

    One that is `flat` learns only from values that every trial has, so that every trial is asked
    for all values of the space, whether its policy needs them or not. Of one with a `population`
    every so many finished trials are a generation.
    """

    make: Callable[[int], BaseSampler]
    flat: bool = False
    population: int | None = None

    def memory(self, finished: int) -> dict[str, Any]:
        """What Optuna would have noted at the trial that has so many finished ones before it.

        A trial of an earlier launch is told without having been asked for.
        """
        if self.population is None:
            return {}
        return {NSGAIISampler._get_generation_key(): finished // self.population}


SAMPLERS: dict[str, Sampler] = {
    "random": Sampler(lambda seed: RandomSampler(seed=seed)),
    "tpe": Sampler(lambda seed: TPESampler(seed=seed, multivariate=True, constant_liar=True)),
    "gp": Sampler(lambda seed: GPSampler(seed=seed, warn_independent_sampling=False), flat=True),
    "cmaes": Sampler(
        lambda seed: CmaEsSampler(seed=seed, warn_independent_sampling=False), flat=True
    ),
    "nsga2": Sampler(
        lambda seed: NSGAIISampler(seed=seed, population_size=POPULATION),
        flat=True, population=POPULATION,
    ),
}  # fmt: skip


class PerSuggestionSampler(BaseSampler):
    """A sampler that starts anew for each suggestion, from a seed that names the suggestion.

    What it draws then depends on the study's history and on that seed alone: random draws are the
    same whether a search was interrupted or not.
    """

    def __init__(self, make: Callable[[int], BaseSampler]) -> None:
        self._make = make
        self._sampler = make(0)

    def begin(self, seed: int) -> None:
        """Start the suggestion named by `seed`."""
        self._sampler = self._make(seed)

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # fmt: skip
        """See `optuna.samplers.BaseSampler`."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState,
        values: Sequence[float] | None,
    ) -> None:  # fmt: skip
        """See `optuna.samplers.BaseSampler`."""
        self._sampler.after_trial(study, trial, state, values)
