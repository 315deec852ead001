"""The worker's thread with a real tiny world: turns, room in the buffer, faults, and its end."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control, FrameRecord, StartRequest
from lingbot_ros.runtime.rollout import Rollout, require_whole_chunks
from lingbot_ros.runtime.worker import WorkerEvents, WorldWorker
from test.support.tiny_model import write_tiny_model
from test.support.worker import worker_settings

PATIENCE_S = 60.0
IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


class Watched:
    """A running worker in lockstep and everything it told. While `gate` is cleared, publication stands still."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.published: list[FrameRecord] = []
        self.errors: list[Exception] = []
        self.gate = Event()
        self.gate.set()
        settings = worker_settings(model, folder)
        self.worker = WorldWorker(settings, WorkerEvents(self._publish, self.errors.append, lambda view: None))
        self.worker.load(PATIENCE_S, abandoned=lambda: False)
        self.call(lambda served: served.play(True, LingbotError("")))

    def _publish(self, record: FrameRecord) -> None:
        assert self.gate.wait(PATIENCE_S)
        self.published.append(record)

    def call(self, command: Callable) -> object:
        return self.worker.submit(command).result(PATIENCE_S)

    def start(self, session_id: str, *, in_background: bool = False) -> None:
        request = StartRequest(start_stamp_ns=0, image=IMAGE, session_id=session_id, in_background=in_background)
        self.call(lambda served: served.start_session(request))

    def rollout(self, session_id: str, count: int, log: list[str]) -> Rollout:
        controls = [control(k) for k in range(count)]
        return Rollout(session_id, controls, on_chunk=lambda frames: log.append(session_id))

    def wait(self, condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s
            time.sleep(0.005)


def control(number: int, value: float = 10.0) -> Control:
    return Control(np.array([value, value]), ControlSource.ACTION, time.monotonic(), id=number)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    running = Watched(write_tiny_model(tmp_path / "models"), tmp_path / "snapshots")
    yield running
    running.gate.set()
    assert running.worker.stop(PATIENCE_S)


def test_rollouts_of_several_sessions_take_turns(watched: Watched) -> None:
    log: list[str] = []
    for name in "abc":
        watched.start(name, in_background=True)
    rollouts = [watched.rollout(name, 5, log) for name in "abc"]
    watched.call(lambda served: [served.add_rollout(rollout) for rollout in rollouts])
    assert [rollout.done.result(PATIENCE_S).frames for rollout in rollouts] == [5, 5, 5]
    assert log == list("abc") * 5


def test_rollouts_of_one_session_run_one_after_the_other(watched: Watched) -> None:
    order: list[str] = []
    watched.start("a", in_background=True)
    rollouts = [watched.rollout("a", 4, order) for _ in range(2)]
    rollouts[0].on_chunk = lambda frames: order.append("first")
    rollouts[1].on_chunk = lambda frames: order.append("second")
    watched.call(lambda served: [served.add_rollout(rollout) for rollout in rollouts])
    assert rollouts[1].done.result(PATIENCE_S).session.frame_index == 8
    assert order == ["first"] * 4 + ["second"] * 4


def test_generation_is_at_most_a_chunk_ahead_of_publication(watched: Watched) -> None:
    watched.gate.clear()
    watched.start("a")
    for number in range(1, 21):
        watched.worker.put_control(control(number))
    watched.wait(lambda: len(watched.worker.buffer) >= 2)
    waiting = [len(watched.worker.buffer) for _ in range(100) if not time.sleep(0.002)]
    assert max(waiting) <= 3
    assert watched.worker.inbox.counts().waiting >= 17
    watched.gate.set()
    watched.wait(lambda: len(watched.published) == 21)
    assert [r.control.id for r in watched.published if r.control] == list(range(1, 21))


def test_a_chunk_that_fails_leaves_session_and_thread(watched: Watched) -> None:
    watched.start("a")
    watched.worker.put_control(control(1, value=9999.0))
    watched.wait(lambda: watched.errors)
    assert str(watched.errors[0]).startswith("action[0].x: got 9999.0")
    watched.worker.put_control(control(2))
    watched.wait(lambda: len(watched.published) == 2)
    assert (watched.published[1].frame_index, watched.published[1].control.id) == (1, 2)


def test_a_rollout_that_fails_tells_how_far_it_came(watched: Watched) -> None:
    watched.start("a", in_background=True)
    rollout = Rollout("a", [control(1), control(2), control(3, value=9999.0), control(4)])
    watched.call(lambda served: served.add_rollout(rollout))
    result = rollout.done.result(PATIENCE_S)
    assert (result.frames, result.session.frame_index) == (2, 2)
    assert result.error.code is ErrorCode.INVALID_INPUT


def test_stopping_answers_everybody(watched: Watched) -> None:
    watched.start("a", in_background=True)
    rollout = watched.rollout("a", 100_000, [])
    watched.call(lambda served: served.add_rollout(rollout))
    assert watched.worker.stop(PATIENCE_S)
    assert rollout.done.result(0).error.code is ErrorCode.NOT_ACTIVE
    with pytest.raises(LingbotError, match="the node stopped"):
        watched.call(lambda served: served.sessions())


@pytest.mark.parametrize(("count", "first", "later"), [(1, 1, 4), (5, 1, 4), (9, 1, 4), (4, 4, 4), (3, 1, 1)])
def test_whole_chunks_pass(count: int, first: int, later: int) -> None:
    require_whole_chunks(count, first, later, "controls")


@pytest.mark.parametrize(
    ("count", "first", "later", "choices"),
    [(0, 1, 4, "1"), (3, 1, 4, "1 or 5"), (6, 1, 4, "5 or 9"), (3, 4, 4, "4"), (7, 4, 4, "4 or 8")],
)
def test_parts_of_chunks_are_refused(count: int, first: int, later: int, choices: str) -> None:
    with pytest.raises(LingbotError, match=f"^controls: got {count} controls; .*whole chunks: {choices} here"):
        require_whole_chunks(count, first, later, "controls")


def test_a_listener_that_fails_ends_nothing(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise ArithmeticError("the listener is broken")

    worker = WorldWorker(
        worker_settings(write_tiny_model(tmp_path / "models"), tmp_path), WorkerEvents(fail, fail, fail)
    )
    worker.load(PATIENCE_S, abandoned=lambda: False)
    worker.submit(lambda served: served.play(True, LingbotError(""))).result(PATIENCE_S)
    request = StartRequest(start_stamp_ns=0, image=IMAGE, session_id="s")
    worker.submit(lambda served: served.start_session(request)).result(PATIENCE_S)
    for _ in range(3):
        rollout = Rollout("s", [control(1)])
        worker.submit(lambda served, rollout=rollout: served.add_rollout(rollout)).result(PATIENCE_S)
        assert rollout.done.result(PATIENCE_S).frames == 1
    assert worker.alive
    assert worker.statistics.figures().errors > 0
    assert worker.stop(PATIENCE_S)
