"""Where a plan begins: an image of the goal, the newest image of the topic, or the present of an imagined session."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lingbot_msgs.action import Plan
from lingbot_msgs.srv import SaveSession
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.nodes.node_link import NodeLink
from lingbot_ros.nodes.planner.camera import Camera
from lingbot_ros.nodes.planner.context import PlannerContext
from lingbot_ros.planning.futures import Frames
from lingbot_ros.world import Session
from lingbot_ros.world.snapshot import Snapshot


@dataclass(frozen=True)
class Start:
    """A session of the planner's own and its present frame, uint8 [H, W, 3] RGB. source_id: of the imagined session."""

    session: Session
    image: Frames
    source_id: str = ""


class Starts:
    """Begins sessions in the planner's world, on the thread that owns it."""

    def __init__(self, running: PlannerContext, camera: Camera) -> None:
        config = running.config
        self._running, self._camera = running, camera
        self._link = NodeLink(running.node, config.imagination_node, config.imagination_timeout_s)

    def begin(self, goal: Plan.Goal, seed: int) -> Start:
        """Raises InputError, SnapshotError, NodeGoneError and LingbotError with what is missing and what to do."""
        kinds: dict[int, Callable[[Plan.Goal, int], Start]] = {
            Plan.Goal.START_SESSION: self._from_session,
            Plan.Goal.START_IMAGE: self._from_image,
            Plan.Goal.START_TOPIC: self._from_topic,
        }
        if goal.start not in kinds:
            raise InputError("start", goal.start, "use START_SESSION, START_IMAGE or START_TOPIC")
        return kinds[goal.start](goal, seed)

    def close(self) -> None:
        """Give the connection to the imagination node back."""
        self._link.close()

    def _from_image(self, goal: Plan.Goal, seed: int) -> Start:
        if not goal.start_image.data:
            raise InputError("start_image", "no data", "give an image, or start from the topic or a session")
        return self._seen(image_to_rgb(goal.start_image), seed)

    def _from_topic(self, goal: Plan.Goal, seed: int) -> Start:
        limit_s, newest = self._running.config.image_timeout_s, self._camera.newest
        after = newest.number - (time.monotonic() - newest.arrived_s < limit_s)
        seen = self._camera.wait(after, time.monotonic() + limit_s)
        if seen is None:
            raise LingbotError(f"image: no image came within {limit_s:g} s; start the camera", ErrorCode.TIMED_OUT)
        return self._seen(seen.image, seed)

    def _from_session(self, goal: Plan.Goal, seed: int) -> Start:
        request = SaveSession.Request(session_id=goal.session_id, path=f"planner-{uuid.uuid4().hex}")
        saved = self._link.call(SaveSession, "save_session", request)
        path = Path(saved.path)
        if not path.is_file():
            where = f"{self._link.name} wrote it to {path} of its own machine; run the planner there"
            raise InputError("session_id", goal.session_id, where)
        try:
            session = self._running.world.restore(Snapshot.load(path))
        finally:
            path.unlink(missing_ok=True)
        return Start(session, session.last_frame(), saved.session.session_id)

    def _seen(self, rgb: Frames, seed: int) -> Start:
        info = self._running.world.info
        image = resize_image(rgb, info.height, info.width)
        return Start(self._running.world.start(image, seed=seed % 2**64), image)
