"""One way to a goal through an imagined house: where the camera is, where the goal is, what a move brings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.camera import Pose, turned
from lingbot_ros.world.scene_model import SceneModel
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World

StartScene = Literal["card", "simulator"]
GOAL_FRAMES = 40
"""How many frames the walk takes that finds a goal."""
REACHED_M, REACHED_RAD = 0.4, 0.35
LIMIT = 256
_SEGMENT = 8
Observation = dict[str, NDArray[np.uint8]]


class House:
    """A loaded world, its spaces and its first images. Raises InputError and ModelError."""

    def __init__(self, model: str | Path, start: StartScene, threads: int) -> None:
        if start not in ("card", "simulator"):
            raise InputError("start", repr(start), "use 'card' (the shipped image) or 'simulator' (a house per seed)")
        self.world, self._start = World.load(model, threads=threads), start
        if not isinstance(self.world.model, SceneModel):
            raise InputError("model", self.world.info.name, "give a model of rooms, such as rooms-small")
        image = spaces.Box(0, 255, (self.world.info.height, self.world.info.width, 3), np.uint8)
        self.observation_space = spaces.Dict({"image": image, "goal": image})
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.period_s = 1 / self.world.info.fps

    def first_image(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """The card's, or what the camera sees in a simulated house drawn from `rng`."""
        if self._start == "simulator":
            from lingbot_ros.tasks.rooms.env.houses import first_view  # noqa: PLC0415 - an optional package

            return first_view(int(rng.integers(100_000)), self.world.info.height)
        image = self.world.seed_image()
        if image is None:
            raise InputError("start", "'card'", f"the card of {self.world.info.name} has no image; use 'simulator'")
        return image


@dataclass
class Errand:
    """The camera's pose and the goal's, [4, 4] in the session's axes, and the images from both."""

    period_s: float
    pose: Pose
    image: NDArray[np.uint8]
    goal_pose: Pose
    goal: NDArray[np.uint8]
    steps: int = 0

    @classmethod
    def begin(cls, session: Session, image: NDArray[np.uint8], period_s: float, rng: np.random.Generator) -> "Errand":
        """Find a goal by a walk, and come back: what was imagined on the way is there to be found again."""
        errand = cls(period_s, np.eye(4), image, np.eye(4), image)
        way = [errand.pose]
        turn = 0.0
        for number in range(GOAL_FRAMES):
            if number % _SEGMENT == 0:
                turn = float(rng.normal(0, 0.7))
            errand._follow(session, errand.after(np.array([1.0, np.clip(turn, -1, 1)])))
            if session.view is not None and session.view.motion_blocked:
                turn = 1.0
            way.append(errand.pose)
        errand.goal_pose, errand.goal = errand.pose, errand.image
        for pose in reversed(way):
            errand._follow(session, pose)
        errand.image = image
        return errand

    def observation(self) -> Observation:
        """Copies of what is seen and what is looked for."""
        return {"image": self.image.copy(), "goal": self.goal.copy()}

    def after(self, action: NDArray[np.floating[Any]]) -> Pose:
        """Where an action leads: metres per second ahead, radians per second to the left, within -1..1."""
        if action.shape != (2,) or not np.isfinite(action).all() or (np.abs(action) > 1).any():
            raise InputError("action", np.asarray(action).tolist(), "give two numbers from -1 to 1")
        pose = turned(self.pose, -float(action[1]) * self.period_s)
        pose[:3, 3] += pose[:3, 2] * float(action[0]) * self.period_s
        return pose

    def arrive(self, session: Session, image: NDArray[np.uint8]) -> tuple[float, bool, dict[str, Any]]:
        """Reward, whether the goal is reached, and `info`, after a step that showed `image`."""
        before = self._distance_m()
        assert session.camera_pose is not None and session.view is not None
        self.pose, self.image, self.steps = np.array(session.camera_pose), image, self.steps + 1
        info = self.info() | {"motion_blocked": session.view.motion_blocked, "unknown_share": session.view.unknown}
        return before - self._distance_m() + float(info["is_success"]), bool(info["is_success"]), info

    def info(self) -> dict[str, Any]:
        """How far the goal is."""
        cosine = np.clip(self.pose[:3, 2] @ self.goal_pose[:3, 2], -1, 1)
        distance, angle = self._distance_m(), float(np.arccos(cosine))
        return {
            "distance_m": distance,
            "angle_rad": angle,
            "is_success": distance < REACHED_M and angle < REACHED_RAD,
        }

    def _distance_m(self) -> float:
        return float(np.linalg.norm(self.pose[:3, 3] - self.goal_pose[:3, 3]))

    def _follow(self, session: Session, pose: Pose) -> None:
        self.image = session.step(pose[None])[0]
        assert session.camera_pose is not None
        self.pose = np.array(session.camera_pose)
