"""Runs the services of compose.yaml as processes, in a rehearsed image; see `rehearsal`.

They have a network of their own in which all names are 127.0.0.1, so that what compose.yaml says of
networks is not rehearsed, nor are limits of what a process may do.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from rehearsal import DOCKER, Image

TREE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = TREE["services"]
PATIENCE_S = 180.0


class Composed:
    """The services of compose.yaml; `folder` has their volumes, and ``secrets`` as made by script.

    `copies` says of which service there are several.
    """

    def __init__(self, image: Image, folder: Path, copies: Mapping[str, int]) -> None:
        self._image = image
        self._folder = folder
        self._copies = copies
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._holder: subprocess.Popen[str] | None = None

    @contextmanager
    def network(self) -> Iterator[list[str]]:
        """A network for the block; yields the command that enters it. Ends what runs there."""
        line = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 3600"]
        self._holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        hosts = " ".join(["localhost", *SERVICES, *self._names()])
        (self._folder / "hosts").write_text(f"127.0.0.1 {hosts}\n")
        try:
            yield ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net"]
        finally:
            for process in reversed(self._running.values()):
                process.send_signal(signal.SIGTERM)
            for process in self._running.values():
                _end(process)
            _kill_all_within(self._holder.pid)
            self._holder.wait()

    def _names(self) -> list[str]:
        return [f"{name}-{n + 1}" for name, count in self._copies.items() for n in range(count)]

    def start(self, name: str, within: list[str]) -> None:
        """Start a service, all of its copies, and wait until it is healthy."""
        count = self._copies.get(name, 1)
        for own in [f"{name}-{n + 1}" for n in range(count)] if count > 1 else [name]:
            line, told = self.line(name, own, SERVICES[name]["command"])
            with (self._folder / f"{own}.log").open("w") as log:
                self._running[own] = subprocess.Popen(
                    [*within, *line], env=told, stdout=log, stderr=subprocess.STDOUT, text=True
                )
            self._wait(name, own)

    def line(self, name: str, own: str, command: list[str]) -> tuple[list[str], dict[str, str]]:
        """The command, and its environment, that runs `command` as the service `name` would."""
        service = SERVICES[name]
        mounts = {self._folder / "hosts": "/etc/hosts"}
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            mounts[self._volume(source)] = target
        for secret in service.get("secrets", []):
            known = secret if isinstance(secret, dict) else {"source": secret}
            target = known.get("target", f"/run/secrets/{known['source']}")
            mounts[self._folder / "secrets" / known["source"]] = target
        words = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in command]
        return self._image.line(words, service.get("environment"), mounts=mounts, name=own)

    def _volume(self, name: str) -> Path:
        path = self._folder / "volumes" / name
        if not path.exists():
            path.mkdir(parents=True)
            user = self._image.user
            subprocess.run(["chown", user, str(path)], check=True)
        return path

    def _wait(self, name: str, own: str) -> None:
        kind, *test = SERVICES[name]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        process = self._running[own]
        line = self._image.beside(process.pid, command)
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(line, capture_output=True).returncode:
            if process.poll() is not None or time.monotonic() > deadline:
                said = (self._folder / f"{own}.log").read_text()[-3000:]
                raise RuntimeError(f"{own} is not healthy: {said}")
            time.sleep(0.5)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _kill_all_within(holder: int) -> None:
    """Kill the holder of a network and what services have left in it, as a container's end does."""
    network = Path(f"/proc/{holder}/ns/net").readlink()
    for own in Path("/proc").glob("[0-9]*/ns/net"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
            if own.readlink() == network:
                os.kill(int(own.parts[2]), signal.SIGKILL)
