"""What a launch prints before it starts and after it ends."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from sleepsweep.metrics import STAGES
from sleepsweep.plan import Plan
from sleepsweep.sweepfolder import SweepFolder

LIGHTS = {"red": "bold red", "amber": "yellow", "green": "green"}
VERDICTS = {"better": "green", "worse": "red"}


def data_table(plan: Plan) -> Table:
    """Subjects, nights, epochs by stage and dropped epochs of what the sweep may read.

    Of the test subjects only the number is shown: the plan's store withholds them.
    """
    people = plan.store.summary()
    table = Table(
        title=f"{len(people)} subjects, and {len(plan.test)} set aside for testing",
        title_justify="left",
        title_style="bold",
        box=None,
    )
    for column in ("nights", *STAGES, "dropped"):
        table.add_column(column, justify="right")
    table.add_column("why", style="dim")
    dropped: dict[str, int] = {}
    for person in people:
        for reason, count in person.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    why = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
    stages = [str(sum(person.epochs[stage] for person in people)) for stage in STAGES]
    nights = str(sum(person.nights for person in people))
    table.add_row(nights, *stages, str(sum(dropped.values())), why)
    return table


def category_table(categories: Any) -> Table:
    """The ranking of augmentation categories: effect, 95 % interval, verdict (a data frame)."""
    table = _table("Augmentation categories", "macro-F1 points when one of its members is added")
    for column in ("effect", "95 % interval", "P(best)"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for row in categories.sort_values("effect", ascending=False).itertuples():
        verdict = Text(row.verdict, style=VERDICTS.get(row.verdict, "dim"))
        table.add_row(
            row.category, f"{row.effect:+.1f}", f"{row.low:+.1f} to {row.high:+.1f}",
            f"{100 * row.p_best:.0f} %", verdict,
        )  # fmt: skip
    return table


def size_table(sizes: Any) -> Table:
    """The size curve: mean macro-F1 against the smallest size that was run (a data frame)."""
    table = _table("Number of augmentations", f"macro-F1 points against size {_reference(sizes)}")
    for column in ("difference", "95 % interval", "trials"):
        table.add_column(column, justify="right")
    for row in sizes.itertuples():
        reference = row.size == row.reference
        table.add_row(
            str(row.size),
            "reference" if reference else f"{row.difference:+.1f}",
            "" if reference else f"{row.low:+.1f} to {row.high:+.1f}",
            str(row.trials),
        )
    return table


def warning(code: str, level: str, sentence: str) -> Text:
    """One line about what a reader must know before believing the ranking."""
    return Text.assemble((f"{code} ", LIGHTS[level]), sentence)


def pointer(name: str, where: str) -> Text:
    """One line that says where to look next; never broken, so that it can be copied."""
    return Text.assemble((f"{name}  ", "bold"), where, no_wrap=True, overflow="ignore")


def troubles(folder: SweepFolder, errors: list[Exception], *, complete: bool) -> Iterator[str]:
    """Sentences about failed trials, a tracking server that missed entries, an early end."""
    for record in folder.records():
        if record.state == "failed":
            where = folder.trial_path(record.trial.id) / "error.txt"
            yield f"trial {record.trial.id} failed; its traceback is in {where}"
    if errors:
        yield f"MLflow missed {len(errors)} entries, the first because of: {errors[0]}"
    if not complete:
        yield (
            f"stopped before the end; {folder.path} holds what was done. Run the same command "
            "again to go on"
        )


def _table(title: str, first: str) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", caption=first,
        caption_justify="left", box=None, pad_edge=False,
    )  # fmt: skip
    table.add_column("")
    return table


def _reference(sizes: Any) -> int:
    return int(sizes["reference"].iloc[0])
