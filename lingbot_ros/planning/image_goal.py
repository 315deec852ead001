"""Goals of models that know nothing but pixels: the last imagined image shall look like a given one."""

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.costs import GoalImage, Smoothness, weighted
from lingbot_ros.planning.futures import Frames
from lingbot_ros.planning.goal import GoalRequest
from lingbot_ros.planning.image_rollouts import ImageRollouts
from lingbot_ros.planning.parametrisation import RawActions
from lingbot_ros.planning.problem import Problem
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World

_ROWS = 16
_HELD_FRAMES = 5
_SMOOTHNESS = 0.01


def read_image_goal(world: World, request: GoalRequest) -> "ImageGoal":
    """Raises InputError for another kind of goal or cost: those need a task that knows more than pixels."""
    if world.info.control.kind != "action":
        raise InputError("model", world.info.name, "give a model that is driven by actions; a planner chooses actions")
    if request.kind != "image" or request.image is None:
        raise InputError("goal", request.kind, "give an image: the model's task reads no other goals")
    if request.cost not in ("", "image"):
        raise InputError("cost", request.cost, "use image, or leave it empty: the model's task has no other")
    if request.trust_penalty:
        raise InputError("trust_penalty", request.trust_penalty, "give 0: images alone do not tell what to believe")
    shape = world.info.height, world.info.width, 3
    if request.image.shape != shape:
        raise InputError("goal_image", f"shape {list(request.image.shape)}", f"give {list(shape)}")
    return ImageGoal(world, request.image)


class ImageGoal:
    """See `planning.goal.Goal`."""

    def __init__(self, world: World, image: Frames) -> None:
        self._world, self._image = world, image

    def approach(self, session: Session, image: Frames) -> "ImageApproach":
        return ImageApproach(self._world, session, self._image)

    def reached(self, image: Frames) -> None:
        return None


class ImageApproach:
    """See `planning.goal.Approach`. Each action is held for some frames, so that there are few numbers to choose."""

    rest = None

    def __init__(self, world: World, session: Session, goal: Frames) -> None:
        self._session, control = session, world.info.control
        self._low, self._high = np.array(control.low, np.float64), np.array(control.high, np.float64)
        self._rollouts = ImageRollouts(world, session, _ROWS)
        self._cost = weighted((1.0, GoalImage(goal)), (_SMOOTHNESS, Smoothness(self._low, self._high)))

    def problem(self, frames: int) -> Problem:
        self._rollouts.begin(self._session)
        return Problem(RawActions(frames, self._low, self._high, _HELD_FRAMES), self._rollouts, self._cost)

    def look(self, image: Frames) -> None:
        """The session has seen it; nothing else is kept."""
