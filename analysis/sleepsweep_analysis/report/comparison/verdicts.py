"""What each sweep says by itself: its verdict, and its warnings."""

from collections.abc import Mapping

from sleepsweep_analysis.report.section import Block, Heading, Lights, Pairs, Section
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.numbers import shortened
from sleepsweep_analysis.words.summary import verdict_pairs

__all__ = ["verdict_section", "warning_section"]


def verdict_section(named: Mapping[str, Analysis]) -> Section:
    """The verdict of every sweep."""
    blocks: list[Block] = []
    for name, analysis in named.items():
        blocks += [Heading(shortened(name)), Pairs(verdict_pairs(analysis))]
    return Section("verdicts", "Verdicts", tuple(blocks))


def warning_section(named: Mapping[str, Analysis]) -> Section:
    """The traffic lights of every sweep."""
    blocks: list[Block] = []
    for name, analysis in named.items():
        blocks += [Heading(shortened(name)), Lights(analysis.checks)]
    return Section("warnings", "Warnings", tuple(blocks))
