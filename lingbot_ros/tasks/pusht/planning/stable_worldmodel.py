"""The environment swm/PushT-v1 of the package stable-worldmodel as a situation of our planner.

It draws the same scene; its actions are offsets of the target from where the pusher is, in shares of 100 units.
"""

from typing import Any

import cv2
import numpy as np
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.goal import GoalRequest
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.stable_worldmodel import Info
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, IMAGE_SIZE, to_units
from lingbot_ros.tasks.pusht.planning.goal import read_goal
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.rollout import to_targets
from lingbot_ros.world.world import World

_UNITS_PER_ACTION = 100.0


class PushTReader:
    """See `planning.stable_worldmodel.Reader`. Start and goal are read from the images `pixels` and `goal`."""

    def __init__(self, world: World) -> None:
        """world: of rigid layers, such as pusht-lasting."""
        self._world = world

    def __call__(self, info: Info, frames: int) -> "PushTSituation":
        image, goal_image = _image(info, "pixels"), _image(info, "goal")
        session = self._world.start(image)
        try:
            goal = read_goal(self._world, GoalRequest("image", image=goal_image))
            if not isinstance(session, LayerSession):
                raise InputError("world", self._world.info.name, "give one of rigid layers, such as pusht-lasting")
            return PushTSituation(session, goal.approach(session, image).problem(frames))
        except BaseException:
            session.close()
            raise


class PushTSituation:
    """See `planning.stable_worldmodel.Situation`."""

    def __init__(self, session: LayerSession, problem: Problem) -> None:
        self.problem, self._session = problem, session

    def actions_of(self, candidates: Floats) -> Floats:
        """The pusher's law says where each offset finds it."""
        drive, state = self._session.rollout_state.constants.drive, self._session.rollout_state
        position = state.bodies.poses[:, 0, :2].expand(len(candidates), 2)
        velocity = state.bodies.velocities[:, 0].expand(len(candidates), 2)
        targets = []
        with torch.inference_mode():
            for offsets in candidates.swapaxes(0, 1):
                place = to_units(position.double().numpy(), IMAGE_SIZE) + _UNITS_PER_ACTION * offsets
                targets.append(np.clip(place, 0.0, ARENA_SIZE))
                scaled = torch.from_numpy(2.0 * targets[-1] / ARENA_SIZE - 1.0).float()
                position, velocity, _ = drive(position, velocity, to_targets(scaled, state.size)[:, 0])
        return np.stack(targets, axis=1)

    def candidate_of(self, actions: Floats) -> Floats:
        """Offsets from where the rollout has the pusher."""
        poses = self.problem.rollouts.roll(actions[None]).poses
        assert poses is not None
        first = np.asarray(self._session.rollout_state.bodies.poses, np.float64)[0, 0, :2]
        places = to_units(np.vstack([first, poses[0, :-1, 0, :2]]), IMAGE_SIZE)
        return (actions - places) / _UNITS_PER_ACTION

    def close(self) -> None:
        self._session.close()


def _image(info: Info, name: str) -> Frames:
    """The newest image of an entry [H, W, 3] or [T, H, W, 3], at the model's size."""
    if name not in info:
        raise InputError(name, "no such entry", "make the package's world with pixels and goals")
    image: Any = info[name]
    image = image[-1] if image.ndim == 4 else image
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise InputError(name, f"{list(image.shape)} {image.dtype}", "give uint8 [H, W, 3] without a transform")
    small = cv2.resize(image, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)
