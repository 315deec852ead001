"""A worker that follows a real camera: which frames are real, which controls go with them, and what is refused."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from lingbot_ros.errors import LingbotError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.runtime.commands import Plan
from lingbot_ros.runtime.enums import ControlSource, FrameKind, Mode
from lingbot_ros.runtime.real_images import ObserveSettings, RealImage
from lingbot_ros.runtime.records import Control, FrameRecord, StartRequest
from lingbot_ros.runtime.rollout import Rollout
from lingbot_ros.runtime.worker import WorkerEvents, WorldWorker
from lingbot_ros.world import World
from test.support.tiny_model import FOUR_STEP_COMMIT, VELOCITY, write_tiny_model
from test.support.worker import worker_settings

PATIENCE_S = 60.0
START_NS = 5_000_000_000
PERIOD_NS = 100_000_000
RANDOM = np.random.default_rng(3)
REAL = RANDOM.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
ACTIONS = RANDOM.uniform(0, 512, (40, 2))
SEED, IMAGINED, OBSERVED = FrameKind.SEED, FrameKind.IMAGINED, FrameKind.OBSERVED


class Followed:
    """A running worker. Frame k has action k - 1, stamped one period before it, and the real image REAL[k]."""

    def __init__(self, model: Path, folder: Path, every: int, mode: Mode, capacity: int) -> None:
        self.published: list[FrameRecord] = []
        self.errors: list[Exception] = []
        settings = worker_settings(model, folder, mode, ObserveSettings(every, capacity))
        self.gate = Event()
        self.gate.set()
        self.worker = WorldWorker(settings, WorkerEvents(self._publish, self.errors.append, lambda view: None))
        self.worker.load(PATIENCE_S, abandoned=lambda: False)
        self.call(lambda served: served.play(True, LingbotError("")))

    def _publish(self, record: FrameRecord) -> None:
        assert self.gate.wait(PATIENCE_S)
        self.published.append(record)

    def call(self, command: Callable) -> object:
        return self.worker.submit(command).result(PATIENCE_S)

    def start(self) -> None:
        self.call(lambda served: served.start_session(StartRequest(START_NS, REAL[0], session_id="a")))

    def act(self, frame: int) -> None:
        self.worker.put_control(action(frame))

    def show(self, frame: int, late_ms: float = 0.0, size: tuple[int, int] = (32, 32)) -> None:
        self.worker.put_image(real_image(frame, late_ms, size))

    def wait(self, condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, (self.published, self.errors)
            time.sleep(0.005)

    def kinds(self) -> list[FrameKind]:
        return [record.kind for record in self.published]


def action(frame: int) -> Control:
    stamp_ns = START_NS + (frame - 1) * PERIOD_NS
    return Control(ACTIONS[frame - 1], ControlSource.ACTION, time.monotonic(), id=frame, stamp_ns=stamp_ns)


def real_image(frame: int, late_ms: float = 0.0, size: tuple[int, int] = (32, 32)) -> RealImage:
    stamp_ns = START_NS + frame * PERIOD_NS + round(late_ms * 1e6)
    return RealImage(REAL[frame], size, stamp_ns, time.monotonic())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def chunked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames per chunk."""
    stream = StreamConfig(chunk=4, window=8)
    return write_tiny_model(tmp_path_factory.mktemp("models"), "chunked", VELOCITY, FOUR_STEP_COMMIT, stream)


@contextmanager
def followed(
    model: Path, folder: Path, every: int, mode: Mode = Mode.LOCKSTEP, capacity: int = 64
) -> Iterator[Followed]:
    running = Followed(model, folder, every, mode, capacity)
    try:
        yield running
    finally:
        running.gate.set()
        assert running.worker.stop(PATIENCE_S)


def expected(model: Path, real: Sequence[bool], chunk: int = 1) -> list[np.ndarray]:
    """The frames that the core gives when the chunks named are observed."""
    session = World.load(model, threads=1).start(REAL[0])
    frames = []
    for number, observed in enumerate(real):
        first = number * chunk
        controls = ACTIONS[first : first + chunk]
        if observed:
            session.observe(REAL[first + 1 : first + 1 + chunk], controls)
            frames += list(REAL[first + 1 : first + 1 + chunk])
        else:
            frames += list(session.step(controls))
    return frames


@pytest.mark.parametrize("late_ms", [-40.0, 0.0, 49.0])
def test_one_of_three_frames_is_real(model: Path, tmp_path: Path, late_ms: float) -> None:
    with followed(model, tmp_path, every=3) as running:
        running.start()
        for frame in range(1, 10):
            running.act(frame)
            running.show(frame, late_ms)
        running.wait(lambda: len(running.published) == 10)
    assert running.kinds() == [SEED, *[IMAGINED, IMAGINED, OBSERVED] * 3]
    assert [record.frames_since_real for record in running.published] == [0, *[1, 2, 0] * 3]
    assert [record.control.id for record in running.published[1:] if record.control] == list(range(1, 10))
    for record, frame in zip(running.published[1:], expected(model, [False, False, True] * 3), strict=True):
        np.testing.assert_array_equal(record.image, frame)
    assert [r.observed_stamp_ns for r in running.published[1:4]] == [0, 0, real_image(3, late_ms).stamp_ns]
    counts = running.worker.images.counts()
    assert (counts.received, counts.unused, counts.rejected, counts.waiting) == (9, 6, 0, 0)
    assert running.errors == []


def test_lockstep_waits_for_the_image_of_a_frame_that_is_due(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=2) as running:
        running.start()
        for frame in range(1, 5):
            running.act(frame)
        running.wait(lambda: len(running.published) == 2)
        running.show(2)
        running.wait(lambda: len(running.published) == 4)
        assert running.worker.inbox.counts().waiting == 1
    assert running.kinds() == [SEED, IMAGINED, OBSERVED, IMAGINED]


def test_an_image_that_got_lost_is_imagined_and_the_next_is_observed(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=2) as running:
        running.start()
        for frame in range(1, 7):
            running.act(frame)
        running.show(3)  # that of frame 2 never comes
        running.show(5)
        running.wait(lambda: len(running.published) == 7)
    assert running.kinds() == [SEED, IMAGINED, IMAGINED, OBSERVED, IMAGINED, OBSERVED, IMAGINED]


def test_a_chunk_needs_a_real_image_for_each_of_its_frames(chunked: Path, tmp_path: Path) -> None:
    with followed(chunked, tmp_path, every=8) as running:
        running.start()
        # All have the plan's own stamp; its frames follow one another at the model's rate.
        running.worker.put_control(Plan(tuple(replace(action(frame), stamp_ns=START_NS) for frame in range(1, 17))))
        for frame in (5, 6, 7):
            running.show(frame)
        running.wait(lambda: len(running.published) == 5)
        assert running.kinds() == [SEED, *[IMAGINED] * 4]
        running.show(8)
        running.wait(lambda: len(running.published) == 13)
        running.show(13)
        running.show(14)
        running.show(17)  # later than the chunk: frames 15 and 16 got lost
        running.wait(lambda: len(running.published) == 17)
    assert running.kinds() == [SEED, *[IMAGINED] * 4, *[OBSERVED] * 4, *[IMAGINED] * 8]
    assert [record.frames_since_real for record in running.published[5:10]] == [0, 0, 0, 0, 1]
    for record, frame in zip(running.published[1:], expected(chunked, [False, True, False, False], 4), strict=True):
        np.testing.assert_array_equal(record.image, frame)


def test_images_that_cannot_be_observed_are_refused_and_nothing_is_lost(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=1, capacity=3) as running:
        running.start()
        running.show(-3)
        running.wait(lambda: len(running.errors) == 1)
        assert "session 'a' began at 5.000 s" in str(running.errors[0])
        running.show(1, size=(32, 40))
        running.wait(lambda: len(running.errors) == 2)
        assert str(running.errors[1]).startswith("observed_image.height, observed_image.width: got 32 x 40")
        running.show(1)  # no action came before it
        running.act(3)
        running.wait(lambda: len(running.errors) == 3)
        assert "got 5.100 s; no control led to it" in str(running.errors[2])
        running.show(3)
        running.wait(lambda: len(running.published) == 2)
        for frame in (4, 5, 6):
            running.show(frame)
        with pytest.raises(LingbotError, match="observe.queue"):
            running.show(7)
        for frame in (4, 5, 6):
            running.act(frame)
        running.wait(lambda: len(running.published) == 5)
    assert running.kinds() == [SEED, *[OBSERVED] * 4]
    assert running.worker.images.counts().rejected == 3


def test_the_first_image_starts_a_session_where_none_is_active(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=1) as running:
        running.show(0, size=(64, 64))
        running.wait(lambda: len(running.published) == 1)
        running.show(1, size=(64, 64))
        running.act(1)
        running.wait(lambda: len(running.published) == 2)
    assert running.kinds() == [SEED, OBSERVED]
    assert running.published[0].stamp_ns == START_NS


def test_realtime_takes_the_newest_image_whose_control_is_known_and_never_waits(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=4, mode=Mode.REALTIME) as running:
        running.start()
        running.act(1)
        running.wait(lambda: len(running.published) >= 6)
        assert OBSERVED not in running.kinds()
        running.act(7)
        running.act(8)
        for frame in (6, 7, 8):
            running.show(frame)
        running.wait(lambda: OBSERVED in running.kinds())
        position = running.kinds().index(OBSERVED)
        seen = running.published[position]
        assert seen.observed_stamp_ns == real_image(8).stamp_ns
        assert seen.control is not None and seen.control.id == 8
        np.testing.assert_array_equal(seen.image, REAL[8])
        running.wait(lambda: running.published[-1].frames_since_real >= 5)
    since = [record.frames_since_real for record in running.published[position:]]
    assert since == list(range(len(since)))
    assert running.worker.images.counts().unused == 2


def test_realtime_observes_chunks_from_a_faster_camera(chunked: Path, tmp_path: Path) -> None:
    """Thirty images a second for a model of ten frames: the nearest to each frame's time are taken."""
    with followed(chunked, tmp_path, every=1, mode=Mode.REALTIME) as running:
        running.start()
        for frame in range(1, 5):
            running.act(frame)
        for frame, late_ms in ((0, 33), (0, 66), (1, 0), (1, 33), (1, 66), (2, 0), (2, 34), (3, -30), (3, 4), (4, 0)):
            running.show(frame, late_ms)
        running.wait(lambda: OBSERVED in running.kinds())
        running.wait(lambda: running.kinds().count(OBSERVED) == 4)
    seen = [record for record in running.published if record.kind is OBSERVED]
    wanted = [real_image(*which).stamp_ns for which in ((1, 0), (2, 0), (3, 4), (4, 0))]
    assert [record.observed_stamp_ns for record in seen] == wanted
    assert [record.control.id for record in seen if record.control] == [1, 2, 3, 4]


def test_realtime_refuses_an_image_that_no_control_led_to(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=1, mode=Mode.REALTIME) as running:
        running.start()
        running.show(5)
        running.wait(lambda: running.errors)
        assert "no control led to it" in str(running.errors[0])
        running.show(6)
        running.act(6)
        running.wait(lambda: OBSERVED in running.kinds())


def test_a_rollout_of_real_images_is_observed_chunk_by_chunk(chunked: Path, tmp_path: Path) -> None:
    with followed(chunked, tmp_path, every=0) as running:
        running.start()
        real = [real_image(frame) for frame in range(1, 9)]
        rollout = Rollout("a", [action(frame) for frame in range(1, 9)], real=real)
        running.call(lambda served: served.add_rollout(rollout))
        assert rollout.done.result(PATIENCE_S).session.frame_index == 8
        wrong = Rollout("a", [action(9)] * 4, real=[real_image(9, size=(10, 30))] * 4)
        with pytest.raises(LingbotError, match=r"^images\[0\].height"):
            running.call(lambda served: served.add_rollout(wrong))
    assert running.kinds() == [SEED, *[OBSERVED] * 8]


def test_a_fork_and_a_restored_session_know_when_they_saw_reality(model: Path, tmp_path: Path) -> None:
    with followed(model, tmp_path, every=2) as running:
        running.start()
        for frame in (1, 2, 3):
            running.act(frame)
            running.show(frame)
        running.wait(lambda: len(running.published) == 4)
        running.call(lambda served: served.save_session("a", "saved", False))
        running.call(lambda served: served.restore_session("saved", "b", 0, True, 0.0))
        running.act(4)
        running.show(4)
        running.wait(lambda: len(running.published) == 5)
        running.call(lambda served: served.fork_session("b", "c", True, 0.0))
        running.show(5, size=(20, 32))
        running.wait(lambda: running.errors)
    assert running.kinds() == [SEED, IMAGINED, OBSERVED, IMAGINED, OBSERVED]
    assert "32 x 32" in str(running.errors[0])
