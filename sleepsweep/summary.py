"""What a launch prints before it starts and after it ends."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group
from rich.text import Text

from sleepsweep.datainfo import because, total_dropped
from sleepsweep.metrics import STAGES
from sleepsweep.plan import Plan
from sleepsweep.sweepfolder import SweepFolder
from sleepsweep.tables import section, table

LIGHTS = {"red": "bold red", "amber": "yellow", "green": "green"}
VERDICTS = {"better": "green", "worse": "red"}


def data_summary(plan: Plan) -> Group:
    """Subjects, nights, epochs by stage and dropped epochs of what the sweep may read.

    Of the test subjects only the number is shown: the plan's store withholds them.
    """
    people = plan.store.summary()
    made = table("nights", *STAGES, "dropped", "because", words=["because"])
    dropped = total_dropped(people)
    stages = [str(sum(person.epochs[stage] for person in people)) for stage in STAGES]
    nights = str(sum(person.nights for person in people))
    made.add_row(nights, *stages, str(dropped.total()), because(dropped))
    heading = f"{len(people)} subjects to train and validate on, {len(plan.test)} set aside to test"
    return Group(section(heading, made), *_labels(plan))


def _labels(plan: Plan) -> Iterator[Text]:
    share = plan.spec.probe.label_fraction
    if share < 1:
        counts = {(len(b.labelled), len(b.split.train)) for b in plan.space.blocks}
        of_which = " or ".join(f"{some} of {everyone}" for some, everyone in sorted(counts))
        yield Text(f"Labels are read of {of_which} training subjects (label_fraction {share:g}).")


def verdict(sentences: Iterable[str]) -> Text:
    """What the analysis says in words, its first sentence in bold."""
    first, *others = sentences
    return Text.assemble("\n", (first, "bold"), *(f"\n{sentence}" for sentence in others))


def category_table(categories: Any) -> Group:
    """The ranking of augmentation categories: effect, 95 % interval, verdict (a data frame)."""
    made = table(
        "effect", "95 % interval", "P(best)", "verdict", first="category", words=["verdict"]
    )
    for row in categories.sort_values("effect", ascending=False).itertuples():
        made.add_row(
            row.category, f"{row.effect:+.1f}", f"{row.low:+.1f} to {row.high:+.1f}",
            f"{100 * row.p_best:.0f} %", Text(row.verdict, style=VERDICTS.get(row.verdict, "dim")),
        )  # fmt: skip
    return section("Categories: macro-F1 points when one of its members is added", made)


def size_table(sizes: Any) -> Group:
    """The size curve: mean macro-F1 against the smallest size that was run (a data frame)."""
    made = table("difference", "95 % interval", "trials", first="size")
    for row in sizes.itertuples():
        reference = row.size == row.reference
        made.add_row(
            str(row.size),
            "reference" if reference else f"{row.difference:+.1f}",
            "" if reference else f"{row.low:+.1f} to {row.high:+.1f}",
            str(row.trials),
        )
    smallest = int(sizes["reference"].iloc[0])
    heading = f"Number of augmentations: macro-F1 points against {smallest}, on average over sets"
    return section(heading, made)


def rows_table(described: Any) -> Group:
    """Which rows the model reads, which it does not, and why (a data frame)."""
    made = table("rows", "trials", "what", words=["what"])
    for row in described.itertuples():
        made.add_row(str(row.rows), str(row.trials), Text(row.what))
    return section("Rows", made)


def note(sentence: str) -> Text:
    """One line about how a table was read."""
    return Text(sentence, style="dim")


def refusals(claims: Iterable[str]) -> Text:
    """One sentence about the claims that the warnings take away."""
    return Text.assemble(("Not claimed: ", "bold"), f"{'; '.join(claims)}.\n")


def warning(code: str, level: str, sentence: str) -> Text:
    """One line about what a reader must know before believing the ranking."""
    return Text.assemble((f"{code:<16} ", LIGHTS[level]), sentence)


def pointer(name: str, where: str) -> Text:
    """One line that says where to look next; never broken, so that it can be copied."""
    return Text.assemble((f"{name}  ", "bold"), where, no_wrap=True, overflow="ignore")


def troubles(folder: SweepFolder, unsent: str | None, *, complete: bool) -> Iterator[str]:
    """Sentences about failed trials, what MLflow is without (`unsent`), an early end."""
    for record in folder.records():
        if record.state == "failed":
            where = folder.trial_path(record.trial.id) / "error.txt"
            yield f"trial {record.trial.id} failed; its traceback is in {where}"
    if unsent:
        yield unsent
    if not complete:
        yield (
            f"stopped before the end; {folder.path} holds what was done. Run the same command "
            "again to go on"
        )
