"""Trials that a pack trains, each as if it were alone: in threads here, without Ray."""

import asyncio
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sleepsweep.data.split import LeakError
from sleepsweep.data.store import Store
from sleepsweep.folder.sweepfolder import SweepFolder
from sleepsweep.learn.pretrain import Pretraining
from sleepsweep.packs import member as members
from sleepsweep.packs import pack as module
from sleepsweep.packs import packedworker
from sleepsweep.packs.member import Member, Reached
from sleepsweep.packs.pack import Pack
from sleepsweep.packs.packedworker import PackedWorker
from sleepsweep.plan import Plan, make_plan
from sleepsweep.probedrun import ProbedRun
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.systemmetrics import read_samples
from sleepsweep.trainable import Metrics, run_trial
from sleepsweep.trial import TrialSpec
from sleepsweep.worker import Worker

PATIENCE_S = 120


class Handle:
    """What Ray makes of a pack: its methods are called from anywhere, and run in its own thread."""

    def __init__(self, pack: Pack, loop: asyncio.AbstractEventLoop) -> None:
        self.pack, self.loop = pack, loop

    def __getattr__(self, name: str) -> Any:
        method, loop = getattr(self.pack, name), self.loop

        class Remote:
            @staticmethod
            def remote(*arguments: Any) -> Future[Any]:
                return asyncio.run_coroutine_threadsafe(method(*arguments), loop)

        return Remote


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[asyncio.AbstractEventLoop]:
    monkeypatch.setattr(packedworker.ray, "get", lambda future: future.result(PATIENCE_S))
    monkeypatch.setattr(packedworker.ray, "wait", waited)
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever, daemon=True)
    thread.start()
    yield made
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), made).result()  # those who still leave
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


def waited(
    futures: list[Future[Any]], num_returns: int, timeout: float
) -> tuple[list[Future[Any]], list[Future[Any]]]:
    """Those that have come, and the others, as Ray tells them apart."""
    done, others = wait(futures, 0)
    return [*done], [*others]


def begun() -> Future[None]:
    """What a pack that has started has answered."""
    started: Future[None] = Future()
    started.set_result(None)
    return started


Begin = Callable[..., PackedWorker]


@pytest.fixture
def begin(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> Begin:
    """Return the worker of a plan with packs of so many places each."""

    def make(plan: Plan, *places: int, **changes: Any) -> PackedWorker:
        folder = SweepFolder(tmp_path / "sweep")
        for trial in trials_of(plan):
            folder.trial(trial.id).path.mkdir(parents=True, exist_ok=True)
        worker = replace(Worker.of(plan, folder), **changes)
        packs = tuple(Handle(Pack(worker, count), loop) for count in places)
        return PackedWorker(worker, packs, tuple(begun() for _ in packs))

    return make


@pytest.fixture
def wide(sweep: Callable[..., SweepSpec]) -> Plan:
    """A plan of trials in two blocks."""
    search = {"trials": 4, "anchors": 1.0, "designs": ["none"]}
    return make_plan(sweep(search=search, split={"blocks": 2}))


def trials_of(plan: Plan) -> list[TrialSpec]:
    return [slot.trial for slot in plan.slots if slot.trial is not None]


def metrics(rungs: Sequence[dict[str, Any]]) -> list[Metrics]:
    """The rungs that a worker tells, without the time that they took."""
    names = Metrics.__dataclass_fields__
    return [Metrics(**{name: rung[name] for name in names} | {"time_s": 0.0}) for rung in rungs]


ALONE: dict[str, list[Metrics]] = {}
"""What trials report unpacked, by their identity: several tests ask for it."""


def alone(trial: TrialSpec, plan: Plan) -> list[Metrics]:
    if trial.id not in ALONE:
        rungs = run_trial(trial, plan.store)
        ALONE[trial.id] = [replace(rung, time_s=0.0) for rung in rungs]
    return ALONE[trial.id]


def run(worker: PackedWorker, trial: TrialSpec) -> list[Metrics]:
    """Run a trial to its end, as Ray Tune would, and let it leave."""
    found = metrics(list(worker.run(trial)))
    worker.forget(trial.id)
    return found


def test_members_of_two_blocks_report_what_each_would_alone(wide: Plan, begin: Begin) -> None:
    worker, trials = begin(wide, 3), trials_of(wide)
    assert {trial.block for trial in trials} == {0, 1}
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(partial(run, worker), trials))
    assert found == [alone(trial, wide) for trial in trials]


def test_they_are_trained_together_and_no_more_than_there_are_places(
    wide: Plan, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, together, train = begin(wide, 3), [], module.train_pack

    def counted(runs: Sequence[Pretraining], *others: Any) -> list[float]:
        together.append(len(runs))
        return train(runs, *others)

    monkeypatch.setattr(module, "train_pack", counted)
    with ThreadPoolExecutor(6) as pool:  # more than there are places: they wait
        list(pool.map(partial(run, worker), trials_of(wide)))
    assert max(together) == 3


def test_a_long_way_to_a_rung_is_gone_in_rounds_and_the_loss_is_their_mean(
    sweep: Callable[..., SweepSpec], begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan(sweep(pretrain={"batch_size": 16, "steps": 5}, scheduler={"grace_steps": 5}))
    monkeypatch.setattr(module, "MOST_STEPS", 2)
    trial = trials_of(plan)[0]
    (found,), (expected,) = run(begin(plan, 1), trial), alone(trial, plan)
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    assert found.confusions == expected.confusions


def test_a_trial_goes_on_from_its_checkpoint_in_another_pack(wide: Plan, begin: Begin) -> None:
    trial, other = trials_of(wide)[:2]
    begun = begin(wide, 2).run(trial)
    next(begun)
    next(begun)
    again = begin(wide, 2)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(partial(run, again), (trial, other)))
    assert found == [alone(trial, wide), alone(other, wide)]


def test_a_lost_process_of_a_trial_is_replaced_by_the_next_one(wide: Plan, begin: Begin) -> None:
    worker, trial = begin(wide, 1), trials_of(wide)[0]
    next(worker.run(trial))  # joined, and killed at its first rung: it never leaves
    assert run(worker, trial) == alone(trial, wide)


def test_the_place_of_a_stopped_member_is_free_for_another(wide: Plan, begin: Begin) -> None:
    worker, (stopped, other) = begin(wide, 1), trials_of(wide)[:2]
    next(worker.run(stopped))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run, worker, other)
        assert not waiting.done()
        worker.forget(stopped.id)
        assert waiting.result(PATIENCE_S) == alone(other, wide)


def test_a_block_has_a_pack_and_goes_elsewhere_where_that_is_full(wide: Plan, begin: Begin) -> None:
    worker = begin(wide, 2, 2)
    trials = [trial for trial in trials_of(wide) if trial.block == 1]
    begun = [worker.run(trial) for trial in trials]
    for rungs in begun:
        next(rungs)
    homes = [list(handle.pack._members) for handle in worker.packs]
    assert homes == [[trials[2].id], [trials[0].id, trials[1].id]]


def test_a_pack_that_has_not_started_is_not_asked_and_then_it_is(wide: Plan, begin: Begin) -> None:
    starting: Future[None] = Future()
    worker = replace(begin(wide, 1, 1), started=(begun(), starting))
    first, other = [trial for trial in trials_of(wide) if trial.block == 1][:2]
    rungs = worker.run(first)
    next(rungs)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(run, worker, other)
        with pytest.raises(TimeoutError):
            waiting.result(5 * packedworker.KNOCK_S)
        starting.set_result(None)
        assert waiting.result(PATIENCE_S) == alone(other, wide)
    assert list(worker.packs[0].pack._members) == [first.id]


@pytest.mark.parametrize("broken", [0, 3])
def test_a_member_that_fails_in_training_fails_alone(
    wide: Plan, begin: Begin, broken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = trials_of(wide)[:4]
    at_fault, train = trials[broken], module.train_pack
    views = {"split": at_fault.split, "seed": at_fault.seed, "policy": at_fault.policy_text}

    def breaking(runs: Sequence[Pretraining], gather: Any, rows: Any, steps: int) -> list[float]:
        losses = train(runs, gather, rows, steps)
        # After the others were trained, from which they have to come back.
        if any(one.streams.views == views and one.step > 1 for one in runs):
            raise ArithmeticError("of one member")
        return losses

    monkeypatch.setattr(module, "train_pack", breaking)
    worker = begin(wide, 4)
    with ThreadPoolExecutor(4) as pool:
        begun = [pool.submit(run, worker, trial) for trial in trials]
        for place, (future, trial) in enumerate(zip(begun, trials, strict=True)):
            if place == broken:
                with pytest.raises(ArithmeticError, match="of one member"):
                    future.result(PATIENCE_S)
            else:
                assert future.result(PATIENCE_S) == alone(trial, wide)


class Graph:
    """What a round holds while it trains."""


def test_nothing_of_a_broken_round_is_held_while_its_halves_are_trained(
    wide: Plan, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = begin(wide, 2).worker
    pair = [Member(trial, worker) for trial in trials_of(wide)[:2]]
    graphs: list[weakref.ref[Graph]] = []
    held: list[int] = []
    train = module.train_pack

    def breaking(runs: Sequence[Pretraining], *others: Any) -> list[float]:
        held.append(sum(graph() is not None for graph in graphs))
        graph = Graph()
        graphs.append(weakref.ref(graph))
        if any(run is pair[0].run.pretraining for run in runs):
            raise ArithmeticError("of the first")
        return train(runs, *others)

    async def trained() -> list[Any]:
        told = [member.ask(1) for member in pair]
        Pack(worker, 2)._round(pair)
        return await asyncio.gather(*told, return_exceptions=True)

    monkeypatch.setattr(module, "train_pack", breaking)
    error, other = asyncio.run(trained())
    assert held == [0, 0, 0]
    assert "in breaking" in "".join(traceback.format_exception(error))
    assert isinstance(other, Reached)


def test_so_does_one_whose_checkpoint_is_damaged(wide: Plan, begin: Begin) -> None:
    worker, (damaged, other) = begin(wide, 2), trials_of(wide)[:2]
    worker.worker.folder.trial(damaged.id).checkpoint.write_text("no checkpoint")
    with ThreadPoolExecutor(1) as pool:
        good = pool.submit(run, worker, other)
        with pytest.raises(Exception, match="nothing of it was run"):
            run(worker, damaged)
        assert good.result(PATIENCE_S) == alone(other, wide)


def test_of_a_gpu_without_memory_every_member_is_told(
    wide: Plan, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> list[float]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(module, "train_pack", full)
    worker = begin(wide, 2)
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(run, worker, trial) for trial in trials_of(wide)[:2]]:
            assert isinstance(future.exception(PATIENCE_S), torch.OutOfMemoryError)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses with which the process would have ended."""
    found: list[int] = []
    monkeypatch.setattr(members.os, "_exit", found.append)
    return found


def lost(*_: Any) -> ProbedRun:
    raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")


def test_a_process_that_has_lost_its_gpu_ends_where_a_trial_joins(
    wide: Plan, begin: Begin, ends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "ProbedRun", lost)
    with pytest.raises(torch.AcceleratorError, match="illegal memory access"):
        run(begin(wide, 1), trials_of(wide)[0])
    assert ends == [1]


def test_it_ends_too_where_a_member_begins_again(
    wide: Plan, begin: Begin, ends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter([ProbedRun, lost])
    monkeypatch.setattr(members, "ProbedRun", lambda *rest: next(runs)(*rest))
    member = Member(trials_of(wide)[0], begin(wide, 1).worker)

    async def again() -> Reached:
        told = member.ask(1)
        assert not member.begin_again()
        return await told

    with pytest.raises(torch.AcceleratorError, match="illegal memory access"):
        asyncio.run(again())
    assert ends == [1]


def test_an_error_of_the_pack_itself_is_told_to_those_who_wait(
    wide: Plan, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = begin(wide, 1)
    monkeypatch.setattr(Pack, "_round", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(worker, trials_of(wide)[0])


def test_a_trial_on_a_test_subject_or_of_other_data_is_refused(wide: Plan, begin: Begin) -> None:
    worker, trial = begin(wide, 1), trials_of(wide)[0]
    stolen = trial.changed(train=(*trial.train, wide.test[0]))
    examined = trial.changed(test=wide.test)
    for refused in (stolen, examined):
        with pytest.raises(LeakError):
            run(worker, refused)
    with pytest.raises(ValueError, match="other data"):
        run(worker, trial.changed(data_hash="0" * 12))
    assert run(worker, trial) == alone(trial, wide)


def test_the_pack_checks_for_itself_that_it_may_train_a_trial(wide: Plan, begin: Begin) -> None:
    worker, trial = begin(wide, 1), trials_of(wide)[0]
    with pytest.raises(LeakError):
        packedworker.ray.get(worker.packs[0].join.remote(trial.changed(test=wide.test)))


def test_confirmations_are_scored_on_the_exam(wide: Plan, store: Store, begin: Begin) -> None:
    exam, trial = store.only(wide.test), trials_of(wide)[0].changed(test=wide.test)
    (found,) = [run(begin(wide, 1, exam=exam), trial)]
    whole = [replace(rung, time_s=0.0) for rung in run_trial(trial, wide.store, exam=exam)]
    assert found == whole
    assert set(found[0].confusions) == set(wide.test)


def test_members_share_the_time_of_their_rounds(
    wide: Plan, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(np.arange(0.0, 1e6))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    member = Member(trials_of(wide)[0], begin(wide, 1).worker)

    async def shared() -> Reached:
        told = member.ask(1)
        member.run.train(1)
        member.advance(1, 0.5, share_s=7.0)
        return await told

    reached = asyncio.run(shared())
    assert reached.loss == 0.5
    assert reached.spent_s == 7.0 + 1.0  # a tick of the clock for its embeddings


def test_what_the_pack_takes_is_sampled_for_each_member(wide: Plan, begin: Begin) -> None:
    worker, trials = begin(wide, 2, watched=True), trials_of(wide)[:2]
    for trial in trials:
        run(worker, trial)
    packedworker.ray.get(worker.packs[0].leave.remote(trials[1].id))
    for trial in trials:
        assert read_samples(worker.worker.folder.trial(trial.id).samples)
