"""What ``sleepsweep data info`` prints of a store."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from sleepsweep.data.manifest import Manifest
from sleepsweep.data.quality import CLEAN_SD
from sleepsweep.data.store_summary import RecordingSummary, SubjectSummary
from sleepsweep.metrics import STAGES
from sleepsweep.terminal.tables import section, table

if TYPE_CHECKING:
    from sleepsweep.data.store import Store

WAKE = "of wake far from sleep"  # the other reasons say themselves: flat, out of range, …
UNITS = {"uV": "µV", "unknown": "?"}
RECORDINGS = "Recordings: amplitude is the robust sd; unit ? where the file does not tell it"
QUALITY = (
    "clean: mean share of an epoch's seconds in which every channel varies and stays within "
    f"{CLEAN_SD:g} robust sd; marked: share of epochs with a second that is not. Nothing is "
    "dropped for it."
)


def store_info(store: "Store") -> Group:
    """How a store was prepared, its subjects and the quality of its recordings."""
    recordings, people = store.recordings(), store.summary()
    nights = sum(person.nights for person in people)
    epochs = sum(sum(person.epochs.values()) for person in people)
    heading = f"{len(people)} subjects, {nights} nights, {epochs:,} epochs"
    return Group(
        section(heading, _preparation(store.manifest)),
        section("Subjects: epochs by stage, and what was left out", _subjects(people)),
        section(RECORDINGS, _recordings(recordings), Text(QUALITY)),
    )


def because(dropped: Mapping[str, int]) -> str:
    """Say in words why epochs were left out, by reason."""
    counts = ((reason, count) for reason, count in dropped.items() if count)
    return ", ".join(
        f"{count} {WAKE if r == 'wake' else r.replace('_', ' ')}" for r, count in counts
    )


def total_dropped(people: Iterable[SubjectSummary]) -> Counter[str]:
    """Count the epochs that were left out, by reason."""
    dropped: Counter[str] = Counter()
    for person in people:
        dropped.update(person.dropped)
    return dropped


def _preparation(manifest: Manifest) -> Text:
    return Text(
        f"{', '.join(manifest.channels)} at {manifest.sfreq:g} Hz in epochs of "
        f"{manifest.epoch_s:g} s, normalised: {manifest.preprocessing['normalize']}\n"
        f"store format {manifest.format_version}, data hash {manifest.data_hash}"
    )


def _subjects(people: Sequence[SubjectSummary]) -> Table:
    made = table("nights", *STAGES, "dropped", "because", first="subject", words=["because"])
    for person in people:
        _add(made, person.subject, person.nights, person.epochs, person.dropped)
    everybody = sum(person.nights for person in people)
    epochs = {stage: sum(person.epochs[stage] for person in people) for stage in STAGES}
    _add(made, "all", everybody, epochs, total_dropped(people), style="bold")
    return made


def _add(
    made: Table, name: str, nights: int, epochs: Mapping[str, int], dropped: Mapping[str, int],
    style: str | None = None,
) -> None:  # fmt: skip
    stages = (f"{epochs[stage]:,}" for stage in STAGES)
    left_out = f"{sum(dropped.values()):,}"
    made.add_row(Text(name), str(nights), *stages, left_out, because(dropped), style=style)


def _recordings(recordings: Sequence[RecordingSummary]) -> Table:
    words = ["unit", "because"]
    made = table(
        "night", "epochs", "amplitude", "unit", "clean", "marked", "dropped", "because",
        first="subject", words=words,
    )  # fmt: skip
    for one in recordings:
        made.add_row(
            Text(one.subject),
            str(one.night),
            f"{sum(one.epochs.values()):,}",
            " ".join(f"{value:.3g}" for value in one.amplitude),
            UNITS[one.unit],
            f"{100 * one.quality:.1f} %",
            f"{100 * one.marked:.1f} %",
            str(sum(one.dropped.values())),
            because(one.dropped),
        )
    return made
