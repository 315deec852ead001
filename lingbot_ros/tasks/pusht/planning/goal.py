"""Goals of Push-T: read from an image, given as poses, or the task's own success."""

from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.costs import Distrust, GoalImage, weighted
from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.goal import Approach, GoalRequest
from lingbot_ros.planning.image_rollouts import ImageRollouts
from lingbot_ros.planning.parametrisation import Knots
from lingbot_ros.planning.problem import Cost, Problem
from lingbot_ros.planning.state_rollouts import StateRollouts
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, GOAL_POSE, IMAGE_SIZE, to_units
from lingbot_ros.tasks.pusht.heads.outcome import SUCCESS_COVERAGE
from lingbot_ros.tasks.pusht.planning.pose_cost import ImagePoseGoal, LayerFrame, PoseGoal, Poses, near, read_poses
from lingbot_ros.world.layer_session import LayerSession
from lingbot_ros.world.session import Session
from lingbot_ros.world.world import World

_KNOT_EVERY = 5
_KNOT_SIGMA, _LAST_SIGMA = 100.0, 30.0
_LOW, _HIGH = np.zeros(2), np.full(2, ARENA_SIZE)
_ROWS = 16


def read_goal(world: World, request: GoalRequest) -> "PushTGoal":
    """See `tasks.task.Task.goal`.

    Pose: x, y, angle of the block, or x, y of the pusher before them, simulator units and radians. Costs: pose, the
    default, and image for goals that are one and models of pixels. Raises InputError for what is none of this.
    """
    if (world.info.height, world.info.width, world.info.control.dim) != (IMAGE_SIZE, IMAGE_SIZE, 2):
        size = f"{world.info.width}x{world.info.height}"
        fix = f"Push-T is planned with models of {IMAGE_SIZE}x{IMAGE_SIZE} pixels and positions of the pusher"
        raise InputError("model", f"{world.info.name}, {size}", fix)
    if request.cost not in ("", "pose", "image") or (request.cost == "image" and request.kind != "image"):
        raise InputError("cost", request.cost, "use pose, or image with a goal that is an image")
    if request.trust_penalty and (world.card.trust is None or request.cost == "image"):
        fix = f"give 0, or plan by poses with a model whose trust is calibrated (this is {world.info.name})"
        raise InputError("trust_penalty", request.trust_penalty, fix)
    return PushTGoal(world, request, *_target(request))


def knots(frames: int, pusher: Floats, towards: Floats | None) -> Knots:
    """Paths of the pusher [2] over so many frames, searched around the straight line `towards` [2] or around rest."""
    last_sigma = _KNOT_SIGMA if towards is None else _LAST_SIGMA
    return Knots(
        frames, _KNOT_EVERY, pusher, _LOW, _HIGH, pusher if towards is None else towards, _KNOT_SIGMA, last_sigma
    )


def _target(request: GoalRequest) -> tuple[Poses, bool]:
    """Where the bodies shall be, and whether the pusher is among them."""
    if request.kind == "image":
        if request.image is None or request.image.shape != (IMAGE_SIZE, IMAGE_SIZE, 3):
            shape = None if request.image is None else list(request.image.shape)
            raise InputError("goal_image", f"shape {shape}", f"give {[IMAGE_SIZE, IMAGE_SIZE, 3]}")
        return read_poses(request.image, "goal_image"), True
    if request.kind == "outcome":
        return Poses(np.zeros(2), np.array(GOAL_POSE)), False
    pose = np.zeros(0) if request.pose is None else np.asarray(request.pose, np.float64)
    places = pose[:-1]
    if len(pose) not in (3, 5) or not np.isfinite(pose).all() or not ((places >= 0) & (places <= ARENA_SIZE)).all():
        fix = f"give x, y (0 to {ARENA_SIZE:g}) and angle (radians) of the block, or x, y of the pusher before them"
        raise InputError("goal_pose", pose.tolist(), fix)
    return Poses(pose[:2] if len(pose) == 5 else np.zeros(2), pose[-3:]), len(pose) == 5


@dataclass(frozen=True)
class PushTGoal:
    """See `planning.goal.Goal`. with_pusher: whether the pusher's place belongs to the goal."""

    world: World
    request: GoalRequest
    poses: Poses
    with_pusher: bool

    def approach(self, session: Session, image: Frames) -> Approach:
        if isinstance(session, LayerSession) and self.request.cost != "image":
            return LayerApproach(self, session, read_poses(image, "image").block)
        return PixelApproach(self, session, image)

    def reached(self, image: Frames) -> bool:
        seen = read_poses(image, "image")
        if self.request.kind == "outcome":
            return coverage_of(seen.block) >= SUCCESS_COVERAGE
        return near(seen, self.poses, with_pusher=self.with_pusher)

    @property
    def towards(self) -> Floats | None:
        """Where the pusher shall be at last [2]."""
        return self.poses.pusher if self.with_pusher else None

    @property
    def pusher_weight(self) -> float:
        """Of its place in the cost."""
        return 1.0 if self.with_pusher else 0.0


class LayerApproach:
    """By the poses of a session of rigid layers. block [3]: the T's pose in the session's present frame."""

    def __init__(self, goal: PushTGoal, session: LayerSession, block: Floats) -> None:
        self._goal, self._session = goal, session
        self._frame = LayerFrame(self._poses()[1], block, IMAGE_SIZE)

    def problem(self, frames: int) -> Problem:
        goal, penalty, trust = self._goal, self._goal.request.trust_penalty, self._goal.world.card.trust
        cost: Cost = PoseGoal(goal.poses, self._frame, goal.pusher_weight)
        if penalty and trust is not None:
            cost = weighted((1.0, cost), (penalty, Distrust(trust)))
        rollouts = StateRollouts.of(self._session, spread=penalty > 0)
        return Problem(knots(frames, self.rest, goal.towards), rollouts, cost)

    def look(self, image: Frames) -> None:
        """The session itself follows the image."""

    @property
    def rest(self) -> Floats:
        return np.clip(to_units(self._poses()[0, :2], IMAGE_SIZE), _LOW, _HIGH)

    def _poses(self) -> Floats:
        return np.asarray(self._session.rollout_state.bodies.poses, np.float64)[0]


class PixelApproach:
    """By imagined images alone; the pusher is read from the real ones."""

    def __init__(self, goal: PushTGoal, session: Session, image: Frames) -> None:
        self._goal, self._session = goal, session
        self._rollouts = ImageRollouts(goal.world, session, _ROWS)
        self._rest = read_poses(image, "image").pusher

    def problem(self, frames: int) -> Problem:
        goal, image = self._goal, self._goal.request.image
        cost: Cost = ImagePoseGoal(goal.poses, goal.pusher_weight)
        if goal.request.cost == "image" and image is not None:
            cost = GoalImage(image)
        self._rollouts.begin(self._session)
        return Problem(knots(frames, self.rest, goal.towards), self._rollouts, cost)

    def look(self, image: Frames) -> None:
        self._rest = read_poses(image, "image").pusher

    @property
    def rest(self) -> Floats:
        return np.clip(self._rest, _LOW, _HIGH)
