"""Two sweeps, or more, side by side: what holds in both, and what differs."""

from collections.abc import Sequence

from sleepsweep.results import TableError
from sleepsweep_analysis.report.comparison.effects import effects_section
from sleepsweep_analysis.report.comparison.protocol import protocol_section
from sleepsweep_analysis.report.comparison.verdicts import verdict_section, warning_section
from sleepsweep_analysis.report.section import Section
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import listing

__all__ = ["comparison"]


def comparison(analyses: Sequence[Analysis]) -> tuple[list[Section], str]:
    """The sections of the comparison, and its title; the first sweep is the reference."""
    if len(analyses) < 2:
        raise TableError(
            f"compare: {len(analyses)} sweep given, two or more are needed; name each sweep folder."
        )
    named = _named(analyses)
    sections = [
        verdict_section(named),
        effects_section(named, "augmentation"),
        effects_section(named, "category"),
        protocol_section(named),
        warning_section(named),
    ]
    return sections, listing(named)


def _named(analyses: Sequence[Analysis]) -> dict[str, Analysis]:
    """The analyses by their sweep's name, numbered where two have the same."""
    names = [analysis.table.study.name for analysis in analyses]
    return {
        f"{name} ({n})" if names.count(name) > 1 else name: analysis
        for n, (name, analysis) in enumerate(zip(names, analyses, strict=True), 1)
    }
