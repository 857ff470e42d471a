"""What a launch prints before it starts and after it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from sleepsweep.metrics import STAGES
from sleepsweep.terminal.data import because, total_dropped
from sleepsweep.terminal.tables import section, table

if TYPE_CHECKING:
    from pathlib import Path

    from sleepsweep.folder.sweepfolder import SweepFolder
    from sleepsweep.plan import Plan
    from sleepsweep.search.warmstart import Past
    from sleepsweep.spec.sweepspec import SweepSpec

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
    apart = (
        "nobody set aside: selected on test subjects, as published"
        if plan.spec.split.selects_on_test
        else f"{len(plan.test)} set aside to test"
    )
    heading = f"{len(people)} subjects to train and validate on, {apart}"
    return Group(section(heading, made), *_labels(plan))


def _labels(plan: Plan) -> Iterator[Text]:
    share = plan.spec.probe.label_fraction
    if share < 1:
        counts = {(len(b.labelled), len(b.split.train)) for b in plan.space.blocks}
        of_which = " or ".join(f"{some} of {everyone}" for some, everyone in sorted(counts))
        yield Text(f"Labels are read of {of_which} training subjects (label_fraction {share:g}).")


# Of a long list, so much in the terminal.
SHOWN = 12

# Of trials that a sampler chose by their scores, so large a share must not have been.
ENOUGH_ANCHORS = 0.3


def search_notes(spec: SweepSpec, past: Past) -> Iterator[str]:
    """Sentences about a search that learns: what it knows already, and what its ranking lacks."""
    if past.source:
        known, skipped = len(past.trials), sum(past.outside.values())
        why = "; ".join(f"{count} ({reason})" for reason, count in past.outside.items())
        yield (
            f"Warm start: the search knows {known} trials of {past.source}. "
            f"Outside this space, and skipped: {skipped}{': ' if why else ''}{why}."
        )
    search = spec.search
    if search.trials and search.sampler_name != "random" and search.anchors < ENOUGH_ANCHORS:
        yield (
            f"The sampler {search.sampler_name} chases good scores, and only {search.anchors:.0%} "
            "of the drawn trials are anchors: the report will not rank augmentations by their raw "
            "means. For a ranking give search.anchors 0.3 or more, or goal: rank."
        )


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


def confirmation_plan(
    picked: Iterable[Mapping[str, Any]], left: int, plan: Plan, blocks: int, unfinished: int
) -> Iterator[Text | Group]:
    """Which policies are confirmed and why, on how many blocks, and what is left to run."""
    made = table("expected", "policy", first="why", words=["policy"])
    for row in picked:
        expected = row["expected"]
        told = "–" if expected != expected else f"{expected:.1f}"
        made.add_row(str(row["role"]), told, Text(str(row["policy"])))
    made.add_row("none", "", Text("none"))
    yield section(f"To confirm on {blocks} fresh blocks, the same for all", made)
    if unfinished:
        yield note(f"{unfinished} trials of the sweep have not ended: this is its best so far.")
    people = f"{len(plan.test)} test subject{'s' * (len(plan.test) != 1)}"
    yield Text(f"{left} trials of full length to run, scored on {people}." if left
               else f"All of it has been run before, on {people}.")  # fmt: skip


def confirmation_table(confirmed: Any) -> Group:
    """What confirmation found, best first: score and paired gain over none (a data frame)."""
    made = table("blocks", "score", "95 % interval", "gain", "95 % interval", "verdict", first="",
                 words=["verdict"])  # fmt: skip
    names = Text("")
    for row in confirmed.itertuples():
        # Below the table, as a policy's text is as long as a line.
        settings = f"  ({row.settings})" if row.settings else ""
        names.append(f"{row.rank}  {row.policy}{settings}\n", style="dim")
        compared = row.gain == row.gain
        made.add_row(
            str(row.rank), str(row.blocks), f"{row.score:.1f}", _interval(row.low, row.high),
            f"{row.gain:+.1f}" if compared else "",
            _interval(row.gain_low, row.gain_high, "+") if compared else "",
            Text(row.verdict, style=VERDICTS.get(row.verdict, "dim")),
        )  # fmt: skip
    people = int(confirmed["subjects"].max())
    of = f"{people} test subject{'s' * (people != 1)}"
    return section(f"Confirmation: macro-F1 of {of}, and points gained over none", made, names)


def _interval(low: float, high: float, sign: str = "") -> str:
    return "not known" if low != low else f"{low:{sign}.1f} to {high:{sign}.1f}"


def rows_table(described: Any) -> Group:
    """Which rows the model reads, which it does not, and why (a data frame)."""
    made = table("rows", "trials", "what", words=["what"])
    for row in described.itertuples():
        made.add_row(str(row.rows), str(row.trials), Text(row.what))
    return section("Rows", made)


def pareto_table(rows: Sequence[Mapping[str, Any]], objectives: Sequence[str]) -> Group:
    """The trials that none of their block beats in all objectives."""
    made = table(*objectives, "policy", first="block", words=["policy"])
    for row in rows[:SHOWN]:
        made.add_row(
            str(row["block"]),
            *(f"{row[name]:.1f} s" if name == "time_s" else f"{100 * row[name]:.1f}"
              for name in objectives),
            Text(row["policy"], overflow="ellipsis", no_wrap=True),
        )  # fmt: skip
    heading = f"Beaten by no trial of their block in all of {', '.join(objectives)}"
    more = [note(f"{len(rows) - SHOWN} more in pareto.csv")] if len(rows) > SHOWN else []
    return Group(section(heading, made), *more)


def note(sentence: str) -> Text:
    """One line about how a table was read."""
    return Text(sentence, style="dim")


def refusals(claims: Iterable[str]) -> Text:
    """One sentence about the claims that the warnings take away."""
    return Text.assemble(("Not claimed: ", "bold"), f"{'; '.join(claims)}.\n")


def warning(code: str, level: str, sentence: str) -> Text:
    """One line about what a reader must know before believing the ranking."""
    return Text.assemble((f"{code:<16} ", LIGHTS[level]), sentence)


def pointer(name: str, where: str) -> Group:
    """One line that says where to look next; never broken, so that it can be copied.

    A group, as a console forgets what a text that is printed by itself asks for.
    """
    line = Text.assemble((f"{name}  ", "bold"), where, no_wrap=True, overflow="ignore")
    return Group(line)


def troubles(
    folder: SweepFolder, unsent: str | None, *, complete: bool, again: str
) -> Iterator[str]:
    """Sentences about failed trials, what MLflow is without (`unsent`), an early end.

    `again` is the command that goes on after an early end.
    """
    for record in folder.records():
        if record.state == "failed":
            where = folder.trial(record.trial.id).error
            yield f"trial {record.trial.id} failed: {record.error_line}\n  its log is {where}"
    if unsent:
        yield unsent
    if not complete:
        yield stopped(folder.path, again)


def stopped(sweep: Path, again: str) -> str:
    """The sentence about a sweep that was ended early, with the command that goes on."""
    done = f"{sweep} holds what was done" if sweep.exists() else "nothing has been run"
    return f"stopped before the end; {done}. To go on: {again}"
