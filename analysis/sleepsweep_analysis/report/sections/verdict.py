"""1 · Verdict: what to use, how sure that is, what to run next; confirmation first, then lights."""

from sleepsweep_analysis.report.columns import count, estimated, text, valued, verdict
from sleepsweep_analysis.report.section import Block, Heading, Lights, Pairs, Section, Table, Text
from sleepsweep_analysis.report.sections.common import refusals
from sleepsweep_analysis.study import Analysis
from sleepsweep_analysis.words.summary import verdict_pairs

__all__ = ["build", "confirmed"]


def build(analysis: Analysis) -> Section:
    """The verdict of `analysis`."""
    blocks: list[Block] = []
    leaks = [c for c in analysis.checks if c.level == "red" and c.code.startswith("LEAK")]
    blocks += [Text(f"{leak.sentence} {leak.effect}".strip(), "banner") for leak in leaks]
    told = {leak.sentence for leak in leaks}
    blocks.append(Pairs([pair for pair in verdict_pairs(analysis) if pair[1] not in told]))
    if len(analysis.confirmation):
        blocks.append(confirmed(analysis))
    blocks += refusals(analysis, *analysis.refused)
    blocks += [Heading("Checks"), Lights(analysis.checks)]
    return Section("verdict", "Verdict", tuple(blocks))


def confirmed(analysis: Analysis) -> Table:
    """The confirmation runs, the recommended policy first."""
    return Table(
        name="confirmation",
        title="Confirmed on fresh blocks and test subjects",
        frame=analysis.confirmation,
        columns=(
            text("policy", "Policy"),
            *([text("settings", "Settings")] if analysis.confirmation["settings"].any() else []),
            valued("score", "low", "high", "Score (95\u00a0%)"),
            estimated("gain", "gain_low", "gain_high", "Against no augmentation (95\u00a0%)"),
            count("blocks", "Blocks"),
            count("subjects", "Test subjects"),
            verdict(),
        ),
        note="Macro-F1 in points. These runs are not in the model, and only they read the test "
        "subjects. The interval combines the variance between blocks with a jackknife over "
        "subjects. Best first, by the difference from no augmentation on common blocks.",
    )
