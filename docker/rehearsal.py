"""Builds the Dockerfile's image without Docker, and runs commands in it.

    sudo python docker/rehearsal.py FOLDER [--build-arg NAME=VALUE] [--run 'COMMAND']

Every instruction is read from the Dockerfile and carried out as it stands there, in a root of its
own, ``FOLDER/image``. In the place of the base image that root has this machine's ``/usr``, which
cannot be written to, a copy of its ``/etc``, and its Python in ``/usr/local``. It needs Linux, root
and a machine that is like the base: Debian, with the same Python.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DOCKER = Path(__file__).resolve().parent
CONTEXT = DOCKER.parent
# What an image starts with, and what of this machine's environment lets pip reach an index.
BASE_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"}
REACHING = re.compile(r"PIP_\w+|SSL_CERT_\w+|\w+_PROXY", re.IGNORECASE)
# In a mount namespace of its own. A name, mounts (here and there), then what `chroot` is to run.
ENTER = """
mount --bind /usr "$ROOT/usr" && mount -o remount,ro,bind "$ROOT/usr"
mount --bind "$ROOT.local" "$ROOT/usr/local"
for each in dev proc sys; do mount --rbind "/$each" "$ROOT/$each"; done
mount -t tmpfs tmpfs "$ROOT/tmp" && mount -t tmpfs tmpfs "$ROOT/run"
while read -r here there; do
    [ -n "$here" ] || continue
    mkdir -p "$ROOT${there%/*}"
    if [ -d "$here" ]; then mkdir -p "$ROOT$there"; else touch "$ROOT$there"; fi
    mount --bind "$here" "$ROOT$there"
done <<< "$MOUNTS"
[ -z "$NAME" ] || hostname "$NAME"
exec chroot --userspec="$AS" "$ROOT" env -i "$@"
"""


@dataclass
class Image:
    """A `root` folder that stands for an image's, and how commands are run in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(BASE_ENVIRONMENT))
    user: str = "0:0"
    folder: str = "/"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Make what a base image has."""
        for name in ("dev", "home", "opt", "proc", "root", "run", "sys", "tmp", "usr", "var/tmp"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "lib", "lib64", "sbin"):
            (self.root / name).symlink_to(f"usr/{name}")
        _copy(Path("/etc"), self.root / "etc")
        for name in ("passwd", "group"):
            _without_people(self.root / "etc" / name)
        # Without the packages that this machine's Python may have, and an image's has not.
        shutil.copytree(
            sys.base_prefix, self.below("/usr/local"), symlinks=True,
            ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__"),
        )  # fmt: skip
        self.run(["ldconfig"])

    def below(self, path: str) -> Path:
        """Where a `path` of the image is on this machine."""
        local = "/usr/local/"
        if f"{path}/".startswith(local):
            return Path(f"{self.root}.local") / path[len(local) :]
        return self.root / path.lstrip("/")

    def line(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, *,
        mounts: Mapping[Path, str] | None = None, name: str = "",
    ) -> tuple[list[str], dict[str, str]]:  # fmt: skip
        """The command, and its environment, that runs `command` in the image.

        `mounts` are of paths of this machine to those in the image; `name` is the host's name.
        """
        inside = self._inside(command, environment or {})
        told = {
            "ROOT": str(self.root), "AS": self.user, "NAME": name, "PATH": os.environ["PATH"],
            "MOUNTS": "".join(f"{here} {there}\n" for here, there in (mounts or {}).items()),
        }  # fmt: skip
        return ["unshare", "--mount", "--uts", "bash", "-euc", ENTER, "enter", *inside], told

    def beside(self, process: int, command: Sequence[str]) -> list[str]:
        """The command that runs `command` beside a `process` that was started by `line`."""
        user, _, group = self.user.partition(":")
        enter = ["nsenter", f"--target={process}", "--mount", "--net", "--uts", "--root",
                 f"--setuid={user}", f"--setgid={group}"]  # fmt: skip
        return [*enter, "env", "-i", *self._inside(command, {})]

    def _inside(self, command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        home = "/root" if self.user == "0:0" else "/home/sleepsweep"
        given = {"HOME": home, **self.environment, **environment}
        words = [f"{key}={value}" for key, value in given.items()]
        return [*words, "sh", "-c", 'cd "$0" && exec "$@"', self.folder, *command]

    def run(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None,
        mounts: Mapping[Path, str] | None = None,
    ) -> str:  # fmt: skip
        """Run a command in the image; return what it printed. Raises `RuntimeError` on failure."""
        line, told = self.line(command, environment, mounts=mounts)
        ended = subprocess.run(line, env=told, capture_output=True, text=True)
        if ended.returncode:
            said = f"{ended.stdout[-2000:]}{ended.stderr[-4000:]}"
            raise RuntimeError(f"{shlex.join(command)} ended with {ended.returncode}: {said}")
        return ended.stdout


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Dockerfile, each with what follows it."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    for whole in "\n".join(lines).replace("\\\n", " ").splitlines():
        if whole.strip():
            name, _, rest = whole.partition(" ")
            yield name, rest.strip()


class Build:
    """Carries out a Dockerfile's instructions, in a `folder`, with other values of its ``ARG``."""

    def __init__(self, folder: Path, arguments: Mapping[str, str]) -> None:
        self._folder = folder
        self._asked = arguments
        self._arguments: dict[str, str] = {}
        self._stages: dict[str, Image] = {}
        self.image = Image(folder)

    def carry_out(self, name: str, text: str) -> None:
        """Carry out one instruction; one that is not known here is an error."""
        getattr(self, f"_{name.lower()}")(text)

    def _arg(self, text: str) -> None:
        name, _, value = text.partition("=")
        self._arguments[name] = self._asked.get(name, value)

    def _from(self, text: str) -> None:
        name = text.partition(" AS ")[2] or "image"
        self.image = self._stages[name] = Image(self._folder / name)
        self.image.begin()

    def _env(self, text: str) -> None:
        known = self.image.environment
        for word in shlex.split(text):
            name, _, value = word.partition("=")
            known[name] = re.sub(r"\$\{?(\w+)\}?", lambda found: known[found[1]], value)

    def _run(self, text: str) -> None:
        reaching = {key: value for key, value in os.environ.items() if REACHING.fullmatch(key)}
        wheels = os.environ.get("PIP_FIND_LINKS", "").split()
        mounts = {Path(folder): folder for folder in wheels if Path(folder).is_dir()}
        self.image.run(["sh", "-c", text], {**reaching, **self._arguments}, mounts)

    def _workdir(self, text: str) -> None:
        self.image.folder = text
        self.image.below(text).mkdir(parents=True, exist_ok=True)

    def _copy(self, text: str) -> None:
        words = shlex.split(text)
        stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else None
        *sources, target = words
        to = self.image.below(os.path.join(self.image.folder, target))  # noqa: PTH118
        for source in sources:
            found = self._stages[stage].below(source) if stage else _sent(source)
            into = target.endswith("/") and not found.is_dir()
            _copy(found, to / found.name if into else to)

    def _user(self, text: str) -> None:
        self.image.user = text

    def _healthcheck(self, text: str) -> None:
        self.image.health = json.loads(text.partition("CMD ")[2])

    def _cmd(self, text: str) -> None:
        self.image.command = json.loads(text)


def _sent(source: str) -> Path:
    """What the build's context has of that name."""
    if f"!{source}" not in (CONTEXT / ".dockerignore").read_text().splitlines():
        raise RuntimeError(f"COPY {source}: .dockerignore keeps it out of the context")
    return CONTEXT / source


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = [f"{source}/.", str(target)] if source.is_dir() else [str(source), str(target)]
    ours = CONTEXT in source.parents or source == Path("/etc")
    # What an earlier stage made nobody writes to any more: a link is as good, and soon made.
    how = "--reflink=auto" if ours else "--link"
    subprocess.run(["cp", "--archive", how, *whole], check=True)
    if CONTEXT in source.parents:
        for compiled in target.rglob("__pycache__"):
            shutil.rmtree(compiled)
        subprocess.run(["chown", "--recursive", "0:0", str(target)], check=True)


def _without_people(path: Path) -> None:
    """Take away this machine's own users, which a base image has none of."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not 1000 <= int(line.split(":")[2]) < 65534))


def build(folder: Path, arguments: Mapping[str, str]) -> Image:
    """Build the image in an empty `folder`."""
    made = Build(folder, arguments)
    for name, text in instructions(DOCKER / "Dockerfile"):
        print(f"{name} {text}", file=sys.stderr, flush=True)
        made.carry_out(name, text)
    return made.image


def main() -> None:
    """Build, and run a command in what was built."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--run", help="a line for the shell; default: the image's own command")
    options = parser.parse_args()
    arguments = dict(given.split("=", 1) for given in options.build_arg)
    image = build(options.folder.resolve(), arguments)
    print(image.run(["sh", "-c", options.run] if options.run else image.command), end="")


if __name__ == "__main__":
    main()
