"""The sixteen sections of the report, in order: the one list there is of them."""

from collections.abc import Callable

from sleepsweep_analysis.report.section import Section
from sleepsweep_analysis.report.sections import (
    augmentations,
    categories,
    confusions,
    doses,
    fidelity,
    interactions,
    leaderboard,
    methods,
    noise,
    provenance,
    representations,
    run,
    sensitivity,
    size,
    subjects,
    verdict,
)
from sleepsweep_analysis.study import Analysis

__all__ = ["SECTIONS", "sections_of"]

SECTIONS: tuple[Callable[[Analysis], Section], ...] = (
    verdict.build, run.build, categories.build, augmentations.build, size.build,
    interactions.build, doses.build, leaderboard.build, noise.build, fidelity.build,
    subjects.build, confusions.build, representations.build, sensitivity.build,
    provenance.build, methods.build,
)  # fmt: skip


def sections_of(analysis: Analysis) -> list[Section]:
    """Every section of the report of `analysis`."""
    return [build(analysis) for build in SECTIONS]
