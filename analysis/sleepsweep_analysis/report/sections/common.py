"""What several sections say alike: how many scores, by which model, and what is refused."""

from sleepsweep.results import StudyInfo
from sleepsweep_analysis.report.section import Refused
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.warnings import CLAIMS
from sleepsweep_analysis.words.numbers import listing, plural

__all__ = ["MODEL", "counted", "distribution", "people", "refusals"]

MODEL = "hierarchical model, all rungs"


def refusals(analysis: Analysis, *claims: str) -> tuple[Refused, ...]:
    """A block for each reason for which a warning refuses some of `claims`."""
    by_reason: dict[str, list[str]] = {}
    for claim in claims:
        if claim in analysis.refused:
            by_reason.setdefault(analysis.refused[claim], []).append(CLAIMS[claim])
    return tuple(Refused(listing(found), reason) for reason, found in by_reason.items())


def counted(analysis: Analysis) -> str:
    """How many scores of how many trials the model read."""
    scores = len(analysis.chosen.rows)
    return f"{plural(scores, 'score')} of {plural(analysis.chosen.n_trials, 'trial')}"


def people(study: StudyInfo) -> str:
    """How many subjects of each role."""
    return ", ".join(f"{count} {role}" for role, count in study.subjects.items())


def distribution(analysis: Analysis) -> str:
    """The reference distribution in words."""
    return f"size uniform 1–{analysis.chosen.largest}, subset uniform, severity uniform"
