"""How a forecast looks in a terminal."""

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group
from rich.text import Text

from sleepsweep.forecast import Forecast
from sleepsweep.packing.packing import Packing
from sleepsweep.terminal.display import duration
from sleepsweep.terminal.summary import warning
from sleepsweep.terminal.tables import section, table

KINDS = {"design": "designed", "anchor": "anchors", "search": "searched", "baseline": "baselines"}

COSTLY = 0.15
"""A probe should take a tenth of the training before it; a short timing is no more exact."""


def forecast_of(found: Forecast) -> Iterator[Text | Group]:
    """What a sweep would run, and how long it would take."""
    made = table("", first="", words=[""])
    made.show_header = False
    for name, text in _lines(found):
        made.add_row(Text(name, style="bold"), Text(text))
    yield section("Would run", made)


def _lines(found: Forecast) -> Iterator[tuple[str, str]]:
    kinds = ", ".join(
        f"{found.kinds[kind]} {named}" for kind, named in KINDS.items() if kind in found.kinds
    )
    total = sum(found.kinds.values())
    yield "trials", f"{total}: {kinds}"
    yield "sizes", ", ".join(f"{count} of {size}" for size, count in found.sizes.items())
    people = ", ".join(f"{count} {part}" for part, count in found.subjects.items())
    yield "blocks", f"{found.blocks}, each of subjects: {people}"
    yield "rungs", f"steps {', '.join(map(str, found.rungs))}"
    stopped = f"about {found.stopped:.0f} of {total} trials, by {found.rule}"
    yield "early stops", "none" if found.rule == "none" else stopped
    where = "on this machine and these data" if found.measured else "at the rate that was given"
    yield "timing", f"{1000 * found.step_s:.0f} ms a step, {found.probe_s:.1f} s a probe, {where}"
    yield "probes", f"{found.probe_share:.0%} of the training between two rungs at most" + (
        "; fewer probe.epochs_per_subject or more scheduler.grace_steps make it less"
        if found.probe_share > COSTLY else ""
    )  # fmt: skip
    at_once = f"{found.concurrent} trials at once, where they do not slow each other down"
    packs = f"{found.concurrent} packs of {found.pack} at once, as if their trials took turns"
    yield "time", f"about {duration(found.wall_s)}, {at_once if found.pack == 1 else packs}"
    yield "cost", f"{found.cpu_hours:.2g} processor hours"
    confirmed = duration(found.confirmation_s / found.concurrent)
    yield "confirm", f"{found.confirmation} trials of full length, about {confirmed} more"


def sight_of(
    smallest: float | None, warnings: Iterable[tuple[str, str, str]], refused: Sequence[str]
) -> Iterator[Text | Group]:
    """What the sweep could tell: the smallest effect, and what its report will warn of."""
    head = Text("\nSmallest effect of one augmentation it would call better four times in five: ")
    far = "there is none; draw random sets of several sizes"
    head.append(far if smallest is None else f"{smallest:.1f} points", style="bold")
    yield head
    yield Text("\nIts report would say:", style="bold")
    for code, level, sentence in warnings:
        yield warning(code, level, sentence)
    if refused:
        yield Text(f"Not claimed: {'; '.join(refused)}.")


def packing_of(found: Packing) -> Group:
    """What so many trials at once train, and the keys of the YAML that ask for the best."""
    made = table("samples/s", "times one", "MiB each", first="trials at once")
    for packed in found.measured:
        gain = packed.samples_per_s / found.measured[0].samples_per_s
        row = (f"{packed.samples_per_s:.0f}", f"{gain:.2f}", f"{packed.memory_mib:.0f}")
        made.add_row(str(packed.trials), *row, style="bold" if packed is found.best else "")
    keys = ", ".join(f"{key}: {value}" for key, value in found.resources.items())
    where = "its GPU" if found.device == "cuda" else "its processors"
    asked = Text(f"\nFor a machine like this one, on {where}:  ")
    title = "Trials in one program" if found.in_one else "Trials at once"
    return section(title, made, asked.append(f"resources: {{{keys}}}", style="bold"))
