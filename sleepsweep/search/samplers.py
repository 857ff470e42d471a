"""Optuna's samplers by the names that a search space gives them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

# Of a sweep's hundred trials several generations must come; Optuna's own 50 would make two.
POPULATION = 16


@dataclass(frozen=True)
class Sampler:
    """A sampler: how it is made from a seed, and what it can do.

    It is made anew for each suggestion, from a seed that names the suggestion, so that random draws
    are the same whether a search was interrupted or not.

    One that `learns` reads what the search knows. One that is `flat` learns only from values that
    every trial has, so that every trial is asked for all values of the space, whether its policy
    needs them or not. Of one with a `population` every so many finished trials are a generation.
    """

    make: Callable[[int], BaseSampler]
    learns: bool = True
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
    "random": Sampler(lambda seed: RandomSampler(seed=seed), learns=False),
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
