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
from sleepsweep.data.folders import check_folder, describe_folder
from sleepsweep.data.names import person_of
from sleepsweep.data.recording import Recording
from sleepsweep.errors import UserError


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

        Raises `UserError` before the first one when a hypnogram is missing or not the only one, or
        two recordings claim the same night.
        """
        # A map, unlike a generator, does not keep a recording while the next one is read.
        return map(self.read, self.nights())

    def nights(self) -> list[Night]:
        """Return the recordings with their hypnograms; errors as in `recordings`."""
        check_folder(self.root)
        found = self._glob(self.description.recordings)
        if not found:
            raise UserError(
                f"{self.root}: holds no recording that fits {self.description.recordings!r} "
                f"(found: {describe_folder(self.root)})."
            )
        nights = [self._night(path) for path in found]
        _refuse_doubles(nights)
        return nights

    def read(self, night: Night) -> Recording:
        """Read one recording: all its whole epochs, unscored ones with stage -1."""
        described, header = self.description, read_header(night.recording)
        scored = described.hypnogram.read(night.hypnogram, described.stages, described.epoch_s)
        if night.hypnogram != night.recording:
            scored.check_belongs(described.epoch_s, header.duration_s, header.start)
        first_s, stages = scored.on(described.epoch_s, header.duration_s)
        wanted = self.derivations or described.derivations
        signal = read_edf(night.recording, wanted, described.epoch_s, first_s)
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

    def _night(self, path: Path) -> Night:
        below = path.relative_to(self.root)
        groups: dict[str, str] = {}
        subject, number = person_of(path.name)
        if self.description.person is not None:
            found = re.search(self.description.person, below.as_posix())
            if found is None:
                raise UserError(
                    f"{path}: its path {below.as_posix()!r} does not tell who slept: it does not "
                    f"fit {self.description.person!r}. Rename the file, or mend the pattern."
                )
            groups = {name: text or "" for name, text in found.groupdict().items()}
            subject, number = groups["subject"], _number(path, groups.get("night") or "1")
        groups |= {"folder": below.parent.as_posix(), "stem": path.stem}
        return Night(path, self._hypnogram(path, groups), subject, number)

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


def _refuse_doubles(nights: Sequence[Night]) -> None:
    seen: dict[tuple[str, int], Night] = {}
    for night in nights:
        other = seen.setdefault((night.subject, night.night), night)
        if other is not night:
            raise UserError(
                f"{night.recording} and {other.recording} are both night {night.night} of "
                f"{night.subject}. Take one out, or tell nights apart by a group (?P<night>…) in "
                "person."
            )


def _own(path: Path) -> bool:
    # Copies from other systems leave companions such as ._SC4001E0-PSG.edf.
    return not path.name.startswith(".") and path.is_file()


def _literal(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)
