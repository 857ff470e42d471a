"""How the standing of a sweep looks in a terminal."""

from collections.abc import Iterator

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sleepsweep.folder.standing import Standing
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.terminal.summary import pointer
from sleepsweep.terminal.tables import section, table


def standing_of(found: Standing, folder: SweepFolder) -> Iterator[Text | Group]:
    """Where a sweep stands, for `sleepsweep status`."""
    yield Text.assemble((found.name, "bold"), f"  {found.question}" if found.question else "")
    yield how_to_go_on(found, folder)
    states = {"done": "finished", "stop": "stopped early"}
    counts = [f"{n} {states.get(state, state)}" for state, n in found.trials.items() if n]
    yield Text(f"{found.planned} trials planned: {', '.join(counts)}")
    if found.rungs:
        yield section("Rungs", _rung_table(found))
    if found.best:
        best = found.best
        yield Text.assemble(
            ("\nbest so far  ", "bold"), f"macro-F1 {100 * best['adjusted_macro_f1']:.1f} adjusted "
            f"for its block ({100 * best['macro_f1']:.1f} in block {best['block']}), on validation "
            f"subjects\n{best['policy']}",
        )  # fmt: skip
    if found.confirmation:
        counts = [f"{n} {states.get(state, state)}" for state, n in found.confirmation.items()]
        yield Text(
            f"\nconfirmation: {', '.join(counts)}; test subjects opened {found.test_opened}×"
        )
    for failure in found.failed:
        yield Text(f"\ntrial {failure['trial']} failed: {failure['error']}", style="red")
        yield pointer("  log", failure["log"])


def _rung_table(found: Standing) -> Table:
    made = table("step", "reached", "went on", "stopped early", "best macro-F1", first="rung")
    for rung in found.rungs:
        numbers = (rung[key] for key in ("step", "reached", "went_on", "stopped"))
        made.add_row(str(rung["rung"]), *map(str, numbers), f"{100 * rung['best_macro_f1']:.1f}")
    return made


def how_to_go_on(found: Standing, folder: SweepFolder) -> Group:
    """Whether a sweep is running, complete or interrupted, and what continues it."""
    age = "" if found.report_age_s is None else f"; last report {_ago(found.report_age_s)}"
    if found.pid is not None:
        return Group(Text(f"running, pid {found.pid}{age}", style="cyan"))
    if not found.is_complete:
        stands = Text(f"interrupted{age}", style="yellow")
        return Group(stands, pointer("to go on:", _go_on(found, folder)))
    if found.failed:
        n = len(found.failed)
        stands = Text(f"complete, but {n} trial{'s' * (n != 1)} failed{age}", style="red")
        return Group(stands, pointer("to run these again:", found.command))
    return Group(Text(f"complete{age}", style="green"))


def _go_on(found: Standing, folder: SweepFolder) -> str:
    if found.trials["running"] + found.trials["to come"]:
        return found.command
    return f"sleepsweep confirm {folder.path}"


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
