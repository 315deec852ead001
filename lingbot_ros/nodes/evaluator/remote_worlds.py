"""Imagination nodes on the network as a world to evaluate in: sessions in other processes, several nodes at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rclpy.node import Node
from std_msgs.msg import Header

from lingbot_msgs.msg import ModelInfo, RobotAction, SessionControls, SessionFrames
from lingbot_msgs.srv import EndSession, ForkSession, ListModels, Observe, StartSession, Step, StepSessions
from lingbot_ros.bridge.images import image_to_rgb, rgb_to_image
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.evaluate.policies.contract import Actions, Frame, Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, ObservingStepper, RowError, Stepper
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.nodes.evaluator.worlds import Model
from lingbot_ros.nodes.node_link import NodeGoneError, NodeLink

_LEASE_S = 900.0
_DESCRIBED = ("parameters", "engine", "engine_version", "device", "precision", "threads")


@dataclass
class _Row:
    """A session in another node. lived: all its actions so far, so that it can move to another node; observed: that it
    was shown real images and cannot.
    """

    link: NodeLink
    start: Start
    seed: int
    session_id: str
    next_frames: int
    lived: list[Actions] = field(default_factory=list)
    observed: bool = False


class RemoteStepper:
    """Rows spread over nodes. A row whose node leaves is imagined again in another one, to the same frames."""

    def __init__(self, links: Sequence[NodeLink], info: ModelInfo, rows: int) -> None:
        self.rows, self.fps = rows, float(info.fps)
        self.low, self.high = np.array(info.control_low, np.float64), np.array(info.control_high, np.float64)
        self._size = info.height, info.width
        self._links, self._gone = list(links), set[NodeLink]()
        self._rows: dict[int, _Row] = {}

    def start(self, row: int, start: Start, seed: int) -> Frame | RowError:
        try:
            self._rows[row] = self._begun(row, start, seed)
        except NodeGoneError:
            raise
        except LingbotError as error:
            return RowError(str(error))
        return resize_image(start.image, *self._size)

    def frames_in_next_step(self, row: int) -> int:
        return self._rows[row].next_frames

    def step(self, actions: Mapping[int, Actions]) -> dict[int, Frames | RowError]:
        """All nodes work at once, each on all of its rows by one call. Raises NodeGoneError when no node is left."""
        rows_of: dict[NodeLink, list[int]] = {}
        for row in actions:
            rows_of.setdefault(self._rows[row].link, []).append(row)
        waiting = {link: self._ask(link, {row: actions[row] for row in rows}) for link, rows in rows_of.items()}
        found: dict[int, Frames | RowError] = {}
        for link, wait in waiting.items():
            found |= self._answers(link, {row: actions[row] for row in rows_of[link]}, wait)
        return {row: found[row] for row in actions}

    def observe(self, row: int, frames: Frames, actions: Actions) -> RowError | None:
        at = self._rows[row]
        request = Observe.Request(session_id=at.session_id)
        request.images = [rgb_to_image(frame, Header()) for frame in frames]
        request.actions = [RobotAction(values=values.tolist()) for values in actions]
        try:
            at.observed = True
            at.next_frames = at.link.call(Observe, "observe", request).session.next_chunk_frames
        except LingbotError as error:
            return RowError(str(error))
        return None

    def peek(self, row: int, actions: Actions) -> Frames | RowError:
        at = self._rows[row]
        request = ForkSession.Request(session_id=at.session_id, lease=_LEASE_S)
        try:
            fork = at.link.call(ForkSession, "fork_session", request).session.session_id
            step = Step.Request(session_id=fork, actions=[RobotAction(values=values.tolist()) for values in actions])
            answer = at.link.call(Step, "step", step)
            at.link.call(EndSession, "end_session", EndSession.Request(session_id=fork))
        except LingbotError as error:
            return RowError(str(error))
        return np.stack([image_to_rgb(image) for image in answer.images])

    def end(self, row: int) -> None:
        at = self._rows.pop(row)
        if at.link in self._gone:
            return
        try:
            at.link.call(EndSession, "end_session", EndSession.Request(session_id=at.session_id))
        except LingbotError:
            self._gone.add(at.link)  # the lease ends the session, if there still is one

    def _begun(self, row: int, start: Start, seed: int) -> _Row:
        """A session in the row's own node, or in the next one that is there."""
        request = StartSession.Request(prompt=start.instruction, seed=seed, in_background=True, lease=_LEASE_S)
        request.image = rgb_to_image(start.image, Header())
        for turn in range(len(self._links)):
            link = self._links[(row + turn) % len(self._links)]
            if link in self._gone:
                continue
            try:
                session = link.call(StartSession, "start_session", request).session
            except NodeGoneError:
                self._gone.add(link)
                continue
            return _Row(link, start, seed, session.session_id, session.next_chunk_frames)
        names = ", ".join(link.name for link in self._links)
        raise NodeGoneError(f"imagination_nodes: none of {names} is there any more; start one, and send the goal again")

    def _ask(self, link: NodeLink, actions: Mapping[int, Actions]) -> Callable[[], Any] | LingbotError:
        """Send the next step of rows of one node; what is returned waits for the answer, or is why none will come."""
        request = StepSessions.Request(session_ids=[self._rows[row].session_id for row in actions])
        request.controls = [
            SessionControls(actions=[RobotAction(values=values.tolist()) for values in mine])
            for mine in actions.values()
        ]
        try:
            return link.begin(StepSessions, "step_sessions", request)
        except LingbotError as error:
            return error

    def _answers(
        self, link: NodeLink, actions: Mapping[int, Actions], wait: Callable[[], Any] | LingbotError
    ) -> dict[int, Frames | RowError]:
        try:
            if isinstance(wait, LingbotError):
                raise wait
            answer = wait()
        except NodeGoneError as error:
            self._gone.add(link)
            return {
                row: RowError(str(error)) if self._rows[row].observed else self._moved(row, mine)
                for row, mine in actions.items()
            }
        except LingbotError as error:
            return dict.fromkeys(actions, RowError(str(error)))
        pairs = zip(actions.items(), answer.sessions, strict=True)
        return {row: self._lived(row, mine, session) for (row, mine), session in pairs}

    def _lived(self, row: int, actions: Actions, answer: SessionFrames) -> Frames | RowError:
        at = self._rows[row]
        if answer.error_code:
            return RowError(f"{at.link.name}: {answer.error_msg}")
        at.lived.append(actions)
        at.next_frames = answer.session.next_chunk_frames
        return np.stack([image_to_rgb(image) for image in answer.images])

    def _moved(self, row: int, actions: Actions) -> Frames | RowError:
        """The row's life once more, in another node, and then its next step."""
        before = self._rows[row]
        self._rows[row] = self._begun(row, before.start, before.seed)
        for lived in [*before.lived, actions]:
            frames = self.step({row: lived})[row]  # may move it once more
            if isinstance(frames, RowError):
                break
        return frames


class RemoteWorlds:
    """The imagination nodes of the parameter `imagination_nodes`, which must run one and the same model."""

    def __init__(self, node: Node, names: Sequence[str], rows_each: int, timeout_s: float) -> None:
        """Ask every node for its model. Raises InputError where they differ, LingbotError for one that is not there."""
        self._links = [NodeLink(node, name, timeout_s) for name in names]
        try:
            infos = [link.call(ListModels, "list_models", ListModels.Request()).models[0] for link in self._links]
            self._info = self._same(infos)
        except BaseException:
            self.close()
            raise
        info = self._info
        self._rows = rows_each * len(names)
        self.model = Model(
            name=info.name,
            task=info.task,
            weights_sha256=info.weights_sha256,
            height=info.height,
            width=info.width,
            fps=float(info.fps),
            max_horizon=int(info.max_horizon) or None,
            settings={
                "name": info.name,
                "weights_sha256": info.weights_sha256,
                "weights_bytes": info.weights_size,
                **{key: getattr(info, key) for key in _DESCRIBED},
                "nodes": list(names),
            },
        )

    def rollouts(self) -> Stepper:
        return RemoteStepper(self._links, self._info, self._rows)

    def single(self) -> ObservingStepper:
        return RemoteStepper(self._links, self._info, 1)

    def close(self) -> None:
        for link in self._links:
            link.close()

    def _same(self, infos: Sequence[ModelInfo]) -> ModelInfo:
        for link, info in zip(self._links, infos, strict=True):
            if info.control_kind != ModelInfo.CONTROL_ACTION:
                raise InputError("imagination_nodes", link.name, f"{info.name} is not driven by actions; policies act")
            if (info.name, info.weights_sha256) != (infos[0].name, infos[0].weights_sha256):
                what = f"{self._links[0].name} with {infos[0].name}, {link.name} with {info.name}"
                raise InputError("imagination_nodes", what, "run the same model in all of them")
        return infos[0]
