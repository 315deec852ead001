"""The services of the imagination node: check, hand to the worker, answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rclpy.executors import Executor

from lingbot_msgs.msg import ModelInfo, SessionControls, SessionFrames
from lingbot_msgs.srv import (
    EndSession,
    ForkSession,
    ListModels,
    ListSessions,
    Observe,
    RestoreSession,
    SaveSession,
    SetPaused,
    StartSession,
    Step,
    StepSessions,
)
from lingbot_ros.bridge.images import rgb_to_image
from lingbot_ros.bridge.model_messages import model_info
from lingbot_ros.bridge.observations import real_images
from lingbot_ros.bridge.session_messages import frame_header
from lingbot_ros.bridge.start_requests import start_request
from lingbot_ros.checkpoints.cards import find_card, list_cards
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control, FrameRecord, RolloutResult
from lingbot_ros.runtime.rollout import Rollout
from lingbot_ros.runtime.served_world import ServedWorld

T = TypeVar("T")


@dataclass(frozen=True)
class _Begun:
    """A step that is queued, and where its frames arrive."""

    rollout: Rollout
    records: list[FrameRecord]


class SessionServices:
    """Private services (`~/...`). Each answers always: what it was asked for, or a code and a sentence."""

    def __init__(self, running: NodeContext, executor: Executor) -> None:
        self._running, self._executor = running, executor
        table: dict[str, tuple[Any, Callable[[Any, Any], Awaitable[None]]]] = {
            "start_session": (StartSession, self._start),
            "step": (Step, self._step),
            "step_sessions": (StepSessions, self._step_sessions),
            "set_paused": (SetPaused, self._set_paused),
            "observe": (Observe, self._observe),
            "fork_session": (ForkSession, self._fork),
            "save_session": (SaveSession, self._save),
            "restore_session": (RestoreSession, self._restore),
            "end_session": (EndSession, self._end),
            "list_sessions": (ListSessions, self._list_sessions),
            "list_models": (ListModels, self._list_models),
        }
        create, profile = running.node.create_service, qos.requests(running.config.worker.limits.requests)
        self._services = [
            create(
                kind, f"~/{name}", self._answering(name, handler), qos_profile=profile, callback_group=running.requests
            )
            for name, (kind, handler) in table.items()
        ]

    def destroy(self) -> None:
        for service in self._services:
            self._running.node.destroy_service(service)

    def _answering(self, name: str, handler: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, response: Any) -> Any:
            try:
                if name != "list_models":
                    self._running.require_active()
                await handler(request, response)
            except Exception as error:  # the boundary to the client: it gets the code, the log gets the traceback
                self._running.refuse(name, error, response)
            return response

        return answer

    async def _on_worker(self, call: Callable[[ServedWorld], T]) -> T:
        return await on_worker(self._executor, self._running.worker.submit(call))

    async def _start(self, request: StartSession.Request, response: StartSession.Response) -> None:
        if request.model not in ("", self._running.info.name):
            name = find_card(request.model).name
            raise LingbotError(
                f"model: got '{name}'; this node runs {self._running.info.name}: start another with model.name:={name}",
                ErrorCode.UNSUPPORTED,
            )
        wanted = start_request(
            request,
            self._running.now_ns(),
            has_camera=self._running.info.control.kind == "camera",
            rectified=self._running.config.rectified,
        )
        view = await self._on_worker(lambda served: served.start_session(wanted))
        if wanted.image is not None:
            self._running.warn_of_stretch(wanted.image.shape)
        response.session = self._running.session_message(view)

    async def _step(self, request: Step.Request, response: Step.Response) -> None:
        controls = self._running.controls(request.actions, request.camera_poses, ControlSource.SERVICE)
        await self._finish_step(await self._begin_step(request.session_id, controls, request.prompt), request, response)

    async def _step_sessions(self, request: StepSessions.Request, response: StepSessions.Response) -> None:
        ids, controls = list(request.session_ids), list(request.controls)
        if len(ids) != len(controls):
            raise InputError("controls", f"{len(controls)} entries", f"give one per session: {len(ids)}")
        if "" in ids or len(set(ids)) != len(ids):
            raise InputError("session_ids", ids, "name each open session once")
        response.sessions = [SessionFrames() for _ in ids]
        begun: list[_Begun | None] = []
        # All are queued before the first is awaited, so that they take turns at the generator.
        for session_id, given, answer in zip(ids, controls, response.sessions, strict=True):
            begun.append(await self._answered(self._begin_one(session_id, given), answer))
        for step, answer in zip(begun, response.sessions, strict=True):
            if step is not None:
                await self._answered(self._finish_step(step, request, answer), answer)

    async def _begin_one(self, session_id: str, given: SessionControls) -> "_Begun":
        controls = self._running.controls(given.actions, given.camera_poses, ControlSource.SERVICE)
        return await self._begin_step(session_id, controls, given.prompt)

    async def _begin_step(self, session_id: str, controls: Sequence[Control], prompt: str) -> "_Begun":
        records: list[FrameRecord] = []
        rollout = Rollout(session_id, controls, prompt, on_chunk=records.extend)
        await self._on_worker(lambda served: served.add_rollout(rollout))
        return _Begun(rollout, records)

    async def _finish_step(
        self, step: "_Begun", request: Step.Request | StepSessions.Request, answer: Step.Response | SessionFrames
    ) -> None:
        result: RolloutResult = await on_worker(self._executor, step.rollout.done)
        answer.frames = [self._running.frame_message(record) for record in step.records]
        if not request.omit_images:
            frame_id = self._running.config.optical_frame
            answer.images = [rgb_to_image(record.image, frame_header(record, frame_id)) for record in step.records]
        if result.session is not None:
            answer.session = self._running.session_message(result.session)
        if result.error is not None:
            raise result.error

    async def _answered(self, work: Awaitable[T], answer: SessionFrames) -> T | None:
        """The result of the work on one of several sessions; its error goes into that session's answer."""
        try:
            return await work
        except Exception as error:  # the boundary to the client, as in `_answering`
            self._running.refuse("step_sessions", error, answer)
            return None

    async def _set_paused(self, request: SetPaused.Request, response: SetPaused.Response) -> None:
        if self._running.config.simulator.enabled:
            raise LingbotError(
                "paused: this node is a simulator (simulator.enabled); call set_simulation_state instead",
                ErrorCode.UNSUPPORTED,
            )
        response.state = int(await self._on_worker(lambda served: served.set_paused(request.paused)))

    async def _observe(self, request: Observe.Request, response: Observe.Response) -> None:
        controls = self._running.controls(request.actions, request.camera_poses, ControlSource.SERVICE)
        real = real_images(request.images, len(controls), self._running.info)
        records: list[FrameRecord] = []
        rollout = Rollout(request.session_id, controls, real=real, on_chunk=records.extend)
        await self._on_worker(lambda served: served.add_rollout(rollout))
        result: RolloutResult = await on_worker(self._executor, rollout.done)
        response.frames = [self._running.frame_message(record) for record in records]
        if result.session is not None:
            response.session = self._running.session_message(result.session)
        if result.error is not None:
            raise result.error

    async def _fork(self, request: ForkSession.Request, response: ForkSession.Response) -> None:
        view = await self._on_worker(
            lambda served: served.fork_session(
                request.session_id, request.new_session_id, request.activate, request.lease
            )
        )
        response.session = self._running.session_message(view)

    async def _save(self, request: SaveSession.Request, response: SaveSession.Response) -> None:
        saved = await self._on_worker(
            lambda served: served.save_session(request.session_id, request.path, request.overwrite)
        )
        response.path, response.size = str(saved.path), saved.size
        response.session = self._running.session_message(saved.session)

    async def _restore(self, request: RestoreSession.Request, response: RestoreSession.Response) -> None:
        now_ns, activate = self._running.now_ns(), not request.in_background
        view = await self._on_worker(
            lambda served: served.restore_session(request.path, request.session_id, now_ns, activate, request.lease)
        )
        response.session = self._running.session_message(view)

    async def _end(self, request: EndSession.Request, response: EndSession.Response) -> None:
        view = await self._on_worker(lambda served: served.end_session(request.session_id))
        response.session = self._running.session_message(view)

    async def _list_sessions(self, _: ListSessions.Request, response: ListSessions.Response) -> None:
        views = await self._on_worker(lambda served: served.sessions())
        response.sessions = [self._running.session_message(view) for view in views]

    async def _list_models(self, _: ListModels.Request, response: ListModels.Response) -> None:
        card, loaded, load_s = self._running.card, self._running.info, self._running.worker.load_s
        mine: ModelInfo = model_info(card, loaded, load_s)
        others = [model_info(other) for other in list_cards() if other.folder != card.folder]
        response.models = [mine, *others]
