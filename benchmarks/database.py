"""A PostgreSQL of one's own, from Debian's packages: a folder, a user, a password, a port."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

# The server refuses to be root.
AS_POSTGRES = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
NAME = "mlflow"


def programs() -> Path | None:
    """The folder of Debian's newest PostgreSQL, if it is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


class Database:
    """A server on 127.0.0.1 whose user and database are called mlflow; needs root.

    Its files are in `folder`, which everybody must be able to enter, and whose path must be short,
    as those of sockets are. `within` is a command that is put before all of its own.
    """

    def __init__(self, folder: Path, password: str, port: int, within: Sequence[str] = ()) -> None:
        self._folder = folder
        self._password = password
        self._port = str(port)
        self._within = within
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is: ``user@host:port/name``."""
        return f"{NAME}@127.0.0.1:{self._port}/{NAME}"

    def start(self) -> None:
        """Make it and start it; raises `RuntimeError` where it does not answer in time."""
        bin_folder = programs()
        if bin_folder is None:
            raise RuntimeError("PostgreSQL is not installed")
        told = self._folder / "password"
        told.write_text(self._password)
        for path in (self._folder, told):
            shutil.chown(path, "postgres", "postgres")
        data = str(self._folder / "data")
        made = [
            *AS_POSTGRES, str(bin_folder / "initdb"), f"--pgdata={data}", f"--username={NAME}",
            f"--pwfile={told}", "--auth=scram-sha-256", "--no-sync",
        ]  # fmt: skip
        subprocess.run(made, check=True, capture_output=True, cwd=self._folder)
        told.unlink()
        server = [*self._within, *AS_POSTGRES, str(bin_folder / "postgres"), "-D", data]
        self._process = subprocess.Popen(
            [*server, "-h", "127.0.0.1", "-p", self._port, "-k", str(self._folder)],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._create(bin_folder)

    def _create(self, bin_folder: Path) -> None:
        where = ["-h", "127.0.0.1", "-p", self._port, "-U", NAME, NAME]
        create = [*self._within, str(bin_folder / "createdb"), *where]
        given = {**os.environ, "PGPASSWORD": self._password}
        deadline = time.monotonic() + 60
        while subprocess.run(create, env=given, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it, without waiting for those who are connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None
