"""The recordings of a described data set: found, paired with their hypnograms, and read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sleepsweep.data.edf.description import PLACE, Description, read_description
from sleepsweep.data.edf.header import read_header
from sleepsweep.data.edf.signals import read_edf
from sleepsweep.data.folders import check_folder, check_tree, describe_folder
from sleepsweep.data.names import bare_label, person_of
from sleepsweep.data.people import People
from sleepsweep.data.recording import Recording
from sleepsweep.errors import UserError

TELLING = r"person: '(?P<subject>P[0-9]+)_night(?P<night>[0-9])'"
OWN_PERSON = r"person: '(?P<subject>[^/]+)\.edf$'"


@dataclass(frozen=True)
class Night:
    """A recording and its hypnogram's file (the same, where the annotations are inside)."""

    recording: Path
    hypnogram: Path
    subject: str
    night: int


@dataclass(frozen=True)
class DescribedSource:
    """The recordings that a `Description` finds below `root`, read one at a time."""

    root: Path
    description: Description
    derivations: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.nights())

    def recordings(self) -> Iterator[Recording]:
        """Yield each recording, in the order of their paths.

        Raises `UserError` before the first one when a hypnogram is missing or not the only one,
        nights cannot be beside each other (`People`), or no derivation is named and the files hold
        different ones.
        """
        nights = self.nights()
        if not self._wanted:
            _refuse_different_derivations([night.recording for night in nights])
        # A map, unlike a generator, does not keep a recording while the next one is read.
        return map(self.read, nights)

    def nights(self) -> list[Night]:
        """Return the recordings with their hypnograms, by path.

        Raises `UserError` like `recordings` but for derivations, and when a folder may not be read.
        """
        check = check_tree if "/" in self.description.recordings else check_folder
        check(self.root)
        found = self._glob(self.description.recordings)
        if not found:
            raise UserError(
                f"{self.root}: holds no recording that fits {self.description.recordings!r} "
                f"(found: {describe_folder(self.root)})."
            )
        nights, people = [self._night(path) for path in found], People()
        for night in nights:
            people.add(night.subject, night.night, str(night.recording))
        return nights

    def read(self, night: Night) -> Recording:
        """Read one recording: all its whole epochs, unscored ones with stage -1."""
        described, header = self.description, read_header(night.recording)
        scored = described.hypnogram.read(night.hypnogram, described.stages, described.epoch_s)
        if night.hypnogram != night.recording:
            scored.check_belongs(described.epoch_s, header.duration_s, header.start)
        first_s, stages = scored.on(described.epoch_s, header.duration_s)
        signal = read_edf(night.recording, self._wanted, described.epoch_s, first_s)
        count = min(len(stages), len(signal.epochs))
        return Recording(
            subject=night.subject,
            night=night.night,
            epochs=signal.epochs[:count],
            stages=stages[:count],
            positions=np.arange(count, dtype=np.int32),
            sfreq=signal.sfreq,
            channels=signal.channels,
            unit=signal.unit,
            source=str(night.recording),
        )

    def fingerprint(self) -> dict[str, Any]:
        """What the recordings depend on: the description, and every file that is read."""
        nights = self.nights()
        files = sorted({path for night in nights for path in (night.recording, night.hypnogram)})
        states = [(str(path.relative_to(self.root)), path.stat()) for path in files]
        return {
            "root": str(self.root.resolve()),
            "description": self.description.model_dump(mode="json", exclude={"root"}),
            "derivations": list(self.derivations),
            "files": [[name, state.st_size, state.st_mtime_ns] for name, state in states],
        }

    @property
    def _wanted(self) -> tuple[str, ...]:
        return self.derivations or self.description.derivations

    def _night(self, path: Path) -> Night:
        below, pattern = path.relative_to(self.root), self.description.person
        groups: dict[str, str] = {}
        person = person_of(path.name) if pattern is None else None
        if pattern is not None and (found := re.search(pattern, below.as_posix())):
            groups = {name: text or "" for name, text in found.groupdict().items()}
            person = groups["subject"], _number(path, groups.get("night") or "1")
        if person is None:
            unfit = f" (it does not fit {pattern!r})" if pattern else ""
            raise UserError(
                f"{path}: its path {below.as_posix()!r} does not tell who slept{unfit}. Name it as "
                "Sleep-EDF (SC4001E0-PSG.edf) or BIDS (sub-01_ses-1_eeg.edf) do, take it out, or "
                f"say in a description file (.yaml) how its path tells it, for example {TELLING}, "
                f"or, where each file is a person of its own, {OWN_PERSON}"
            )
        groups |= {"folder": below.parent.as_posix(), "stem": path.stem}
        return Night(path, self._hypnogram(path, groups), *person)

    def _hypnogram(self, path: Path, groups: dict[str, str]) -> Path:
        template = self.description.hypnogram.file
        if template is None:
            return path
        # A group that took no part is empty, and must not make the path an absolute one.
        pattern = PLACE.sub(lambda place: _literal(groups[place[1]]), template).lstrip("/")
        found = [each for each in self._glob(pattern) if each != path]
        if len(found) != 1:
            many = f"has {len(found)} hypnograms: {', '.join(each.name for each in found)}"
            raise UserError(
                f"{path}: {many if found else f'has no hypnogram: nothing fits {pattern!r}'} in "
                f"{self.root}. A recording needs exactly one."
            )
        return found[0]

    def _glob(self, pattern: str) -> list[Path]:
        return sorted(path for path in self.root.glob(pattern) if _own(path))


def holds_edf(folder: Path) -> bool:
    """Whether `folder` holds EDF or BDF files, at any depth."""
    return folder.is_dir() and any(_own(path) for path in folder.glob(Description().recordings))


def described_at(
    path: Path, root: Path | None, epoch_s: float, derivations: Sequence[str]
) -> DescribedSource:
    """Return the source that the description file at `path` describes.

    `root` stands in for the file's own, `derivations` too where there are any. Raises `UserError`
    when its `epoch_s` is another.
    """
    description = read_description(path)
    if description.epoch_s != epoch_s:
        raise UserError(
            f"{path}: epoch_s is {description.epoch_s:g}, but data.epoch_s is {epoch_s:g}. Set "
            "data.epoch_s to the length that was scored."
        )
    own = path.parent / Path(description.root).expanduser()
    return DescribedSource(root or own, description, tuple(derivations))


def _number(path: Path, night: str) -> int:
    if not night.isdecimal():
        raise UserError(
            f"{path}: the night is {night!r}, not a whole number. Let the group (?P<night>…) of "
            "person take digits only."
        )
    return int(night)


def _refuse_different_derivations(paths: Sequence[Path]) -> None:
    # Each file's only signal is taken, whatever it is called; another place of the head is refused.
    first, *others = [(path, read_header(path).labels) for path in paths]
    for path, labels in others:
        if {*map(bare_label, labels)} != {*map(bare_label, first[1])}:
            raise UserError(
                f"{path}: holds {', '.join(labels) or 'no signal'}, but {first[0]} holds "
                f"{', '.join(first[1]) or 'no signal'}, and no derivation is named. Name the one "
                "that is meant, as derivations in a description file, data.derivations in a YAML, "
                "or --derivation of data import."
            )


def _own(path: Path) -> bool:
    # Copies from other systems leave companions such as ._SC4001E0-PSG.edf.
    return not path.name.startswith(".") and path.is_file()


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)
