"""The page's requests, answered by an imagination node."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, ModelInfo
from lingbot_msgs.srv import (
    EndSession,
    ListModels,
    ListSessions,
    Record,
    StartSession,
    Step,
)
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes.viewer.controls import chunk_controls
from lingbot_ros.nodes.viewer.driving import Driving
from lingbot_ros.nodes.viewer.encoding import LARGEST_PNG_EDGE_PX, described, encoded
from lingbot_ros.nodes.viewer.futures import Futures
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.nodes.viewer.moments import Moments
from lingbot_ros.nodes.viewer.page_state import node_state
from lingbot_ros.nodes.viewer.passing import PassingTime
from lingbot_ros.nodes.viewer.worlds import start_request
from lingbot_ros.viewer.driver import DrivingSeat
from lingbot_ros.viewer.film import ShownFrames, encode_film
from lingbot_ros.viewer.frames import Frame
from lingbot_ros.viewer.messages import Request
from lingbot_ros.viewer.uploads import Uploads

_SILENT_S = 3.0
_ASK_AGAIN_S = 1.0
_LOOK_S = 0.05
_START_S = 600.0
_FIRST_TRIES, _FIRST_IMAGE_S = 3, 2.0


FirstWorld = Callable[[ModelInfo], StartSession.Request | None]
"""What to start once the page hears the node; it may take seconds and runs on a thread of its own.

None: the node is a simulator, whose world is set back to its first image."""


class ImaginationBackend:
    """Implements `lingbot_ros.viewer.backend.Backend`. Everything but encoding runs on the event loop.

    first_world: None = show the session that the node has.
    """

    def __init__(self, link: ImaginationLink, first_world: FirstWorld | None = None) -> None:
        self._link, self._first_world, self.seat = link, first_world, DrivingSeat()
        self._shown = ShownFrames()
        self._model: ModelInfo | None = None
        self._status: ImaginationStatus | None = None
        self._heard_s = float("-inf")
        self._info: FrameInfo | None = None
        self._futures: Futures | None = None
        self._future_frames: dict[int, Frame] = {}
        self._was_paused = False
        self._time = PassingTime(link)
        self._moments = Moments(link, self._put)
        self._driving = Driving(link, self.seat, self._driven, self._is_lockstep, lambda: self._frames, self._tell)
        self._frames = 0
        self._seed, self._prompt = 0, ""
        self._began: StartSession.Request | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()
        self._notice = ""

    def begin(self, on_frame: Callable[[Frame], None], on_change: Callable[[], None]) -> None:
        """See `Backend`."""
        self._on_frame, self._on_change = on_frame, on_change
        self._link.begin(self._hear_info, self._hear_status)
        tasks = [self._follow_node(), self._driving.run()]
        if self._first_world is not None:
            tasks.append(self._start_first_world(self._first_world))
        self._tasks = [asyncio.create_task(task) for task in tasks]

    async def close(self) -> None:
        """See `Backend`."""
        for task in self._tasks:
            task.cancel()
        if self._futures is not None:
            await self._futures.end()

    def state(self) -> Mapping[str, Any]:
        """See `Backend`."""
        present = time.monotonic() - self._heard_s < _SILENT_S
        notice, self._notice = self._notice, ""
        return {
            **node_state(self._model, self._status if present else None, self._info),
            "simulator": self._time.is_simulator,
            "futures": 0 if self._futures is None else self._futures.count,
            "moments": self._moments.listed(),
            "seed": self._seed,
            "prompt": self._prompt,
            "notice": notice,
        }

    def newest(self) -> list[Frame]:
        """See `Backend`."""
        present = self._shown.newest()
        return [*([present] if present else []), *self._future_frames.values()]

    def moment_image(self, moment: int) -> Frame | None:
        """See `Backend`."""
        return self._moments.image(moment)

    async def film(self) -> bytes:
        """See `Backend`."""
        return await asyncio.to_thread(encode_film, self._shown.copy(), self._loaded().fps)

    async def answer(self, request: Request, uploads: Uploads) -> Mapping[str, Any]:
        """See `Backend`. One request at a time changes the world."""
        given = request.arguments
        async with self._changing:
            match request.name:
                case "pause":
                    await self._time.pause(given["paused"])
                case "step":
                    await self._step()
                case "prompt":
                    self._set_prompt(given["text"])
                case "reset":
                    await self._reset()
                case "new_world":
                    await self._new_world(given["seed"], uploads.get(given["image"]) if given["image"] else None)
                case "futures":
                    await self._begin_futures(given["count"])
                case "adopt":
                    await self._adopt(given["future"])
                case "back":
                    await self._end_futures()
                case "keep":
                    return {"moment": await self._moments.keep(self._shown.newest())}
                case "return_to":
                    await self._return_to(given["moment"])
                case "record":
                    request_ = Record.Request(record=given["on"], compressed=True)
                    return {"path": (await self._link.call(Record, "record", request_)).path}
                case other:
                    raise InputError("name", other, "the viewer does not know this request")
        return {}

    async def _step(self) -> None:
        """One chunk of the present, under what is held."""
        sessions = (await self._link.call(ListSessions, "list_sessions", ListSessions.Request())).sessions
        active = next((session for session in sessions if session.active), None)
        if active is None:
            raise LingbotError("there is no active session; start a new world", ErrorCode.UNKNOWN_SESSION)
        held = self.seat.held(0, time.monotonic())
        controls = chunk_controls(self._loaded(), self._info, held, active.next_chunk_frames)
        request = Step.Request(actions=controls.actions, camera_poses=controls.camera_poses, omit_images=True)
        await self._link.call(Step, "step", request)

    def _set_prompt(self, text: str) -> None:
        if not self._loaded().uses_prompt:
            raise InputError("text", repr(text[:40]), f"{self._loaded().name} takes no text")
        self._prompt = text
        self._link.prompts.publish(String(data=text))

    async def _reset(self) -> None:
        """The same world from its first image on."""
        if self._time.is_simulator:
            await self._end_futures()
            self._forget_present()
            await self._time.reset()
        elif self._began is None:  # the session was started by somebody else
            await self._new_world(self._seed, None)
        else:
            await self._begin_world(self._began)

    async def _new_world(self, seed: int, image: NDArray[np.uint8] | None) -> None:
        if self._time.is_simulator:
            raise LingbotError("new_world: a simulator gets its worlds by load_world", ErrorCode.UNSUPPORTED)
        await self._begin_world(await asyncio.to_thread(start_request, self._loaded(), seed, image, self._prompt))

    async def _begin_world(self, request: StartSession.Request) -> None:
        await self._end_futures()
        self._forget_present()
        await self._link.call(StartSession, "start_session", request)
        self._began, self._seed = request, request.seed
        self._moments.clear()

    def _forget_present(self) -> None:
        """Before another world is asked for: its first frame comes earlier than the answer."""
        self._info = None
        self._shown.clear()

    async def _begin_futures(self, count: int) -> None:
        await self._end_futures()
        self._was_paused = self._status is not None and self._status.state == ImaginationStatus.STATE_PAUSED
        await self._time.pause(True)
        futures = Futures(self._link, self._loaded(), self.seat, self._show_future, self._tell)
        await futures.begin(count, self._info)
        self._futures = futures
        present = self._shown.newest()
        for stream in range(1, count + 1):
            if present is not None:
                self._put(replace(present, stream=stream))

    async def _adopt(self, stream: int) -> None:
        if self._futures is None:
            raise LingbotError("there are no futures to choose from", ErrorCode.SESSION_CLOSED)
        before = self._status.active_session if self._status else ""
        info = self._futures.last_info(stream)
        if self._time.is_simulator:
            session = await self._futures.adopt_in_place(stream, before)
        else:
            session = await self._futures.adopt(stream)
        frame = self._future_frames.get(stream)
        if frame is not None:
            self._put(replace(frame, stream=0))
        await self._end_futures()
        if before and before != session.session_id:
            with contextlib.suppress(LingbotError):
                await self._link.call(EndSession, "end_session", EndSession.Request(session_id=before))
        self._info = info

    async def _end_futures(self) -> None:
        futures, self._futures = self._futures, None
        self._future_frames.clear()
        if futures is not None:
            await futures.end()
            if not self._was_paused:
                await self._time.pause(False)

    async def _return_to(self, number: int) -> None:
        await self._end_futures()
        await self._moments.return_to(number, self._status.active_session if self._status else "")

    def _driven(self) -> ModelInfo | None:
        """The model that topics drive; None while futures are compared."""
        return self._model if self._futures is None else None

    def _is_lockstep(self) -> bool:
        return self._status is not None and self._status.mode == ImaginationStatus.MODE_LOCKSTEP

    def _loaded(self) -> ModelInfo:
        if self._model is None:
            raise LingbotError("the imagination node has not answered yet", ErrorCode.NOT_ACTIVE)
        return self._model

    async def _follow_node(self) -> None:
        """Learn the model, and again whenever the node has come back with another."""
        while True:
            running = "" if self._status is None else self._status.model
            if self._model is None or (running and running != self._model.name):
                with contextlib.suppress(LingbotError):
                    models = (await self._link.call(ListModels, "list_models", ListModels.Request(), 10.0)).models
                    self._take_model(models[0])
            await asyncio.sleep(_ASK_AGAIN_S)

    async def _start_first_world(self, first_world: FirstWorld) -> None:
        """The first image of a session is published once: start again where it was missed while DDS was connecting."""
        while self._model is None or not self._link.hears_images():
            await asyncio.sleep(_LOOK_S)
        request = await asyncio.to_thread(first_world, self._model)
        if request is not None:
            self._began, self._seed, self._prompt = request, request.seed, request.prompt
        try:
            for _ in range(_FIRST_TRIES):
                if request is None:
                    await self._time.reset()
                else:
                    await self._link.call(StartSession, "start_session", request, _START_S)
                deadline_s = time.monotonic() + _FIRST_IMAGE_S
                while time.monotonic() < deadline_s:
                    if self._shown.newest() is not None:
                        return
                    await asyncio.sleep(_LOOK_S)
        except LingbotError as error:
            self._tell(str(error))

    def _take_model(self, model: ModelInfo) -> None:
        if not model.loaded:
            return
        self._model = model
        compressed = max(model.height, model.width) > LARGEST_PNG_EDGE_PX
        self._link.listen_to_images(compressed, encoded, self._hear_frame)
        self._on_change()

    def _hear_frame(self, frame: Frame) -> None:
        info = self._info
        matches = info is not None and abs(to_nanoseconds(info.header.stamp) / 1e9 - frame.time_s) < 1e-6
        self._put(described(frame, info if matches else None))

    def _hear_info(self, info: FrameInfo) -> None:
        self._info = info

    def _hear_status(self, status: ImaginationStatus) -> None:
        changed = self._status is None or self._status.state != status.state
        self._status, self._heard_s = status, time.monotonic()
        if changed:
            self._on_change()

    def _show_future(self, stream: int, image: Image | CompressedImage, info: FrameInfo) -> None:
        self._put(described(encoded(image, stream), info))

    def _put(self, frame: Frame) -> None:
        if frame.stream == 0:
            self._shown.add(frame)
            self._frames += 1
        else:
            self._future_frames[frame.stream] = frame
        self._on_frame(frame)

    def _tell(self, text: str) -> None:
        self._notice = text
        self._on_change()
