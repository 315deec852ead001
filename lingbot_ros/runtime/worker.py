"""The thread that owns a world. It alternates between commands and chunks."""

import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.runtime.arbiter import PRIORITY
from lingbot_ros.runtime.commands import ControlInput
from lingbot_ros.runtime.enums import ControlSource, Mode
from lingbot_ros.runtime.frame_buffer import FrameBuffer
from lingbot_ros.runtime.inbox import ControlInbox, StalePolicy
from lingbot_ros.runtime.intrinsics import CameraDefaults
from lingbot_ros.runtime.pacer import Pacer
from lingbot_ros.runtime.real_images import ObserveSettings, RealImage, RealImages
from lingbot_ros.runtime.records import FrameRecord
from lingbot_ros.runtime.scheduler import Output
from lingbot_ros.runtime.served_world import ServedWorld, WorldView
from lingbot_ros.runtime.session_table import Limits
from lingbot_ros.runtime.statistics import Statistics
from lingbot_ros.world import LoadOptions, World

T = TypeVar("T")
E = TypeVar("E")

# The longest the thread sleeps: leases are checked and the state is refreshed this often when nothing happens.
_IDLE_S = 0.25


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of a worker; `config/imagination.yaml` describes each value.

    owner: begins the default names of snapshots, so that robots which share a folder do not overwrite each other's.
    """

    options: LoadOptions
    mode: Mode
    control_capacity: int
    control_timeout_s: float
    stale: StalePolicy
    decay_s: float = field(default=0.5, kw_only=True)
    priority: tuple[ControlSource, ...] = field(default=PRIORITY, kw_only=True)
    limits: Limits
    snapshot_folder: Path
    owner: str = field(default="", kw_only=True)
    camera: CameraDefaults = field(default_factory=CameraDefaults)
    observe: ObserveSettings = field(default_factory=ObserveSettings)


@dataclass(frozen=True)
class WorkerEvents:
    """Callbacks of the worker. `publish` runs on the pacer's thread, the others on the worker's; all must return soon.

    publish: a frame is due. on_error: an error that has no caller, or that belongs in the log; errors of a call or a
    rollout are returned there.
    on_change: the view has another state, active session or number of sessions.
    """

    publish: Callable[[FrameRecord], None]
    on_error: Callable[[Exception], None]
    on_change: Callable[[WorldView], None]


class WorldWorker:
    """Thread-safe interface of a loaded world. `load()` starts the thread, `stop()` ends it for good."""

    def __init__(self, settings: WorkerSettings, events: WorkerEvents) -> None:
        self.settings, self.statistics = settings, Statistics()
        self._events = WorkerEvents(events.publish, self._outlived(events.on_error), self._outlived(events.on_change))
        self.inbox = ControlInbox(
            settings.mode,
            capacity=settings.control_capacity,
            timeout_s=settings.control_timeout_s,
            stale=settings.stale,
            decay_s=settings.decay_s,
            priority=settings.priority,
        )
        self.images = RealImages(settings.mode, settings.observe.capacity)
        self.view = WorldView()
        self.load_s = 0.0
        self._wake = threading.Event()
        self.buffer = FrameBuffer(self._wake.set)
        self._commands: queue.Queue[_Command] = queue.Queue(settings.limits.requests)
        self._stopping = threading.Event()
        self._loaded: Future[World] = Future()
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)

    def _outlived(self, event: Callable[[E], None]) -> Callable[[E], None]:
        """The same callback, but its exceptions are counted, so that they cannot end the thread with all sessions."""

        def tell(what: E) -> None:
            try:
                event(what)
            except Exception as error:  # the boundary to the listener
                self.statistics.add_error(error)

        return tell

    def load(self, timeout_s: float, abandoned: Callable[[], bool]) -> World:
        """Load the model on the worker's thread. Other threads may use only `info` and `card` of the result.

        Raises the loader's error, or LingbotError (TIMED_OUT) after `timeout_s`, (CANCELED) when `abandoned()`.
        """
        self._thread.start()
        deadline_s = time.monotonic() + timeout_s
        while not futures.wait([self._loaded], _IDLE_S).done:
            name = self.settings.options.name
            if abandoned():
                self._stopping.set()
                raise LingbotError(f"loading {name} was abandoned", ErrorCode.CANCELED)
            if time.monotonic() > deadline_s:
                self._stopping.set()
                raise LingbotError(
                    f"model.load_timeout: {name} did not load within {timeout_s} s; raise the limit",
                    ErrorCode.TIMED_OUT,
                )
        return self._loaded.result()

    def submit(self, call: Callable[[ServedWorld], T]) -> Future[T]:
        """Run `call` on the worker's thread between chunks. Raises LingbotError (BUSY) when the queue is full."""
        command: _Command = _Command(call, Future())
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            raise LingbotError(
                f"{self.settings.limits.requests} requests already wait for the generator (limits.requests); ask again "
                "when some are answered",
                ErrorCode.BUSY,
            ) from None
        self._wake.set()
        if self._stopping.is_set():
            self._refuse_waiting()
        return command.future

    def put_control(self, offer: ControlInput, session_id: str = "") -> None:
        """Drive the active session, if it is this one or "" is given. Raises as `ControlInbox.put`."""
        self.inbox.put(offer, session_id)
        self._wake.set()

    def put_image(self, image: RealImage) -> None:
        """Give the active session a real image. Raises LingbotError (BUSY) when the queue of lockstep is full."""
        self.images.put(image)
        self._wake.set()

    @property
    def waiting_commands(self) -> int:
        return self._commands.qsize()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        """End after the current chunk; pending calls get an error. False when the thread did not end in time."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        self._refuse_waiting()
        return not self._thread.is_alive()

    def _run(self) -> None:
        settings, started_s = self.settings, time.monotonic()
        try:
            world = World.load(options=settings.options)
        except BaseException as error:  # handed to the thread that waits in load()
            self._loaded.set_exception(error)
            return
        pacer = Pacer(self.buffer, 1.0 / world.info.fps, self._events.publish, self._events.on_error)
        served = ServedWorld(
            world,
            settings.mode,
            settings.limits,
            settings.snapshot_folder,
            self.inbox,
            Output(self.buffer, pacer.next_due_s),
            self.statistics,
            self._events.on_error,
            settings.camera,
            self.images,
            settings.observe,
            settings.owner,
        )
        pacer.start()
        self.load_s = time.monotonic() - started_s
        self._loaded.set_result(world)
        try:
            while not self._stopping.is_set():
                self._turn(served)
        finally:
            pacer.stop(timeout_s=1.0)
            served.close(LingbotError("the node stopped", ErrorCode.NOT_ACTIVE))
            self._refuse_waiting()

    def _turn(self, served: ServedWorld) -> None:
        self._wake.clear()
        self._run_commands(served)
        wait_s = served.advance()
        for view in served.end_expired():
            self._events.on_error(
                LingbotError(f"session '{view.session_id}' ended: unused for {view.lease_s} s", ErrorCode.TIMED_OUT)
            )
        self._refresh(served)
        if wait_s > 0:
            self._wake.wait(min(wait_s, _IDLE_S) if math.isfinite(wait_s) else _IDLE_S)

    def _run_commands(self, served: ServedWorld) -> None:
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            command.run(served)

    def _refresh(self, served: ServedWorld) -> None:
        before, self.view = self.view, served.view()
        now = self.view
        if (before.state, before.active_id, len(before.sessions)) != (now.state, now.active_id, len(now.sessions)):
            self._events.on_change(now)

    def _refuse_waiting(self) -> None:
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            return
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                return
            command.future.set_exception(LingbotError("the node stopped", ErrorCode.NOT_ACTIVE))


@dataclass(frozen=True)
class _Command:
    call: Callable[[ServedWorld], object]
    future: Future

    def run(self, served: ServedWorld) -> None:
        try:
            self.future.set_result(self.call(served))
        except Exception as error:  # it belongs to the one who asked; the thread goes on
            self.future.set_exception(error)
