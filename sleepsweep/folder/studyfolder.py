"""The folder that a command fills, a sweep's or an experiment's: its lock and its manifest."""

import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from sleepsweep.errors import UserError
from sleepsweep.folder.lock import NAME as LOCK
from sleepsweep.folder.lock import FolderLock
from sleepsweep.replacing import replacing

JOBS = "slurm"
"""The folder that holds the scripts and logs of a sweep's jobs of Slurm."""

KEPT = (LOCK, JOBS)
"""What may be in a folder before there is a study, and outlives it: of whoever fills the folder."""

OPENED = "test_opened"
"""The key of a manifest that says when the test subjects were opened, and by which command."""


@dataclass(frozen=True)
class StudyFolder:
    """Reads and writes one study's folder; a subclass says what it holds, and in which file.

    `kind` is the word for it, `manifest_name` the file that makes a folder one, and `keys` are what
    that file must have.
    """

    kind: ClassVar[str]
    manifest_name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]

    path: Path

    @property
    def manifest_path(self) -> Path:
        """The file that makes a folder one of this kind."""
        return self.path / self.manifest_name

    @property
    def lock(self) -> FolderLock:
        """Which process is filling the folder, if any."""
        return FolderLock(self.path, self.kind)

    def locked(self) -> AbstractContextManager[None]:
        """Make the folder and hold it for one process; see `FolderLock.held`."""
        return self.lock.held()

    def check_own(self) -> None:
        """Raise `UserError` where the path is a file, or a folder of something else."""
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path}: is a file; give a folder with --out.")
        if self.manifest_path.exists() or not self.path.exists():
            return
        if any(child.name not in KEPT for child in self.path.iterdir()):
            raise UserError(
                f"{self.path}: is not empty and holds no {self.kind}; give another --out."
            )

    def read_manifest(self) -> dict[str, Any]:
        """Return the manifest; `UserError` when the folder holds none, or a damaged one."""
        try:
            manifest: dict[str, Any] = json.loads(self.manifest_path.read_text())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"{self.path}: holds no {self.kind} ({self.manifest_name} is missing)."
            ) from error
        except json.JSONDecodeError as error:
            raise UserError(f"{self.manifest_path}: damaged ({error}).") from error
        missing = [key for key in self.keys if key not in manifest]
        if missing:
            raise UserError(f"{self.manifest_path}: damaged (no {', '.join(missing)}).")
        return manifest

    def log_test_opened(self) -> None:
        """Write down that the test subjects are opened now, and by which command."""
        manifest = self.read_manifest()
        manifest[OPENED] = [*manifest.get(OPENED, []), now()]
        self.write_manifest(manifest)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, whole or not at all."""
        with replacing(self.manifest_path) as partial:
            partial.write_text(json.dumps(manifest, indent=1))

    def clear(self) -> None:
        """Delete all results but the manifest, which a new one is to replace at once.

        A kill in between leaves a study of which nothing has been run.
        """
        for child in self.path.iterdir():
            if child.is_dir() and child.name not in KEPT:
                shutil.rmtree(child)
            elif child.name not in (*KEPT, self.manifest_name):
                child.unlink()

    def opened(self) -> dict[str, Any]:
        """What a new start must keep of the manifest that is there.

        It does not close what was opened: the test subjects stay the same people.
        """
        try:
            manifest = json.loads(self.manifest_path.read_text())
        except json.JSONDecodeError:
            return {}  # damaged, and about to be deleted
        return {key: value for key, value in manifest.items() if key == OPENED}


def command() -> str:
    """The command line that this process was started with, as it would be typed."""
    return shlex.join(["sleepsweep", *sys.argv[1:]])


def now() -> dict[str, str]:
    """The time, and this process's command: what a manifest says of an event."""
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "command": command()}
