"""Jobs in the background: each is done, failing ones again, and nobody waits for them for long."""

import threading
import time

from sleepsweep.tracking.outbox import Outbox


def test_jobs_are_done_in_order_and_close_waits_for_them() -> None:
    done: list[int] = []
    outbox = Outbox()
    for number in range(20):
        outbox.put(str(number), lambda number=number: done.append(number))
    assert outbox.close(10) == []
    assert done == list(range(20))


def test_a_job_that_fails_is_done_again_and_holds_up_no_other() -> None:
    tries: list[str] = []

    def fails_twice() -> None:
        tries.append("a")
        if tries.count("a") < 3:
            raise OSError("down")

    outbox = Outbox()
    outbox.put("a", fails_twice)
    outbox.put("b", lambda: tries.append("b"))
    assert outbox.close(30) == []
    assert tries.count("a") == 3
    assert tries.index("b") < 3
    assert str(outbox.error) == "down"


def test_a_newer_job_takes_the_place_of_the_one_of_its_name() -> None:
    held, done = threading.Event(), []
    outbox = Outbox()
    outbox.put("first", lambda: held.wait(10) and None)
    for number in range(10_000):
        outbox.put("a", lambda number=number: done.append(number))
    assert len(outbox._jobs) == 2
    held.set()
    assert outbox.close(10) == []
    assert done == [9999]


def test_a_job_that_hangs_delays_neither_put_nor_close() -> None:
    never = threading.Event()
    outbox = Outbox()
    outbox.put("hangs", lambda: never.wait(60) and None)
    started = time.monotonic()
    outbox.put("waits", lambda: None)
    assert outbox.close(0.5) == ["hangs", "waits"]
    assert time.monotonic() - started < 30
    never.set()


def test_patience_is_renewed_by_progress_where_asked() -> None:
    outbox = Outbox()
    for number in range(6):
        outbox.put(str(number), lambda: time.sleep(0.3))
    assert outbox.close(1.0, renewed=True) == []


def test_the_pause_after_a_failure_ends_when_the_outbox_is_closed() -> None:
    fails = [True] * 3
    outbox = Outbox()
    outbox.put("a", lambda: fails and fails.pop() and 1 / 0)
    while len(fails) > 1:
        time.sleep(0.01)
    assert outbox.close(60) == []
