"""Jobs that are done in the background until each has succeeded, however long that takes."""

import threading
import time
from collections.abc import Callable

Job = Callable[[], None]

LONGEST_PAUSE_S = 30.0
LONGEST_PAUSE_WHEN_CLOSING_S = 2.0


class Outbox:
    """Does jobs one by one on a thread of its own; those that fail are done again.

    A job has a name and can be repeated, and a newer one takes the place of the one of its name:
    what waits is bounded by the number of names, however long nothing succeeds. After a failure the
    thread pauses, a second at first and up to half a minute, and goes on with the next job, so that
    one which always fails does not hold up the others.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._given_up = False
        self._failures = 0
        self._progress = time.monotonic()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="outbox", daemon=True)
        self._thread.start()

    @property
    def error(self) -> Exception | None:
        """Why the last job that failed did."""
        return self._error

    @property
    def waiting(self) -> int:
        """How many jobs are not done yet."""
        with self._changed:
            return len(self._jobs)

    def put(self, name: str, job: Job) -> None:
        """Have a job done after those that wait; returns at once."""
        with self._changed:
            self._jobs.pop(name, None)
            self._jobs[name] = job
            self._changed.notify()

    def close(self, patience_s: float, *, renewed: bool = False) -> list[str]:
        """Wait so many seconds for the jobs, and return the names of those that are not done.

        With `renewed` the patience starts anew with each job that succeeds. Ctrl-C ends the wait.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._progress = time.monotonic()
        closed = self._progress
        try:
            while time.monotonic() < (self._progress if renewed else closed) + patience_s:
                self._thread.join(0.1)
                if not self._thread.is_alive():
                    break
        except KeyboardInterrupt:
            # Whoever interrupts again does not want to wait; what is left is returned.
            pass
        with self._changed:
            self._given_up = True
            self._changed.notify()
            return list(self._jobs)

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            name, job = taken
            try:
                job()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
                self._error = error
                self._failures += 1
                self._put_back(name, job)
            else:
                self._failures = 0
                self._progress = time.monotonic()
                self._remove(name, job)

    def _next(self) -> tuple[str, Job] | None:
        with self._changed:
            self._pause()
            self._changed.wait_for(lambda: self._jobs or self._closing)
            if self._given_up or not self._jobs:
                return None
            return next(iter(self._jobs.items()))

    def _pause(self) -> None:
        if not self._failures:
            return
        pause = min(2.0 ** (self._failures - 1), LONGEST_PAUSE_S)
        if self._closing:
            pause = min(pause, LONGEST_PAUSE_WHEN_CLOSING_S)
            self._changed.wait_for(lambda: self._given_up, pause)
        elif self._changed.wait_for(lambda: self._closing, pause):
            # What waits is tried at once when the sweep has ended.
            self._failures = 1

    def _put_back(self, name: str, job: Job) -> None:
        with self._changed:
            if self._jobs.get(name) is job:
                self._jobs[name] = self._jobs.pop(name)

    def _remove(self, name: str, job: Job) -> None:
        with self._changed:
            if self._jobs.get(name) is job:
                del self._jobs[name]
