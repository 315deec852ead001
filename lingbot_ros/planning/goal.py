"""What is to be reached, and how a world model is asked to reach it. A task reads goals; see `tasks.task.Task.goal`."""

from dataclasses import dataclass
from typing import Literal, Protocol

from lingbot_ros.planning.futures import Floats, Frames
from lingbot_ros.planning.problem import Problem
from lingbot_ros.world.session import Session

GoalKind = Literal["image", "pose", "outcome"]


@dataclass(frozen=True)
class GoalRequest:
    """A goal as a user states it.

    image: uint8 [H, W, 3] RGB at the model's size, for kind image. pose [n]: for kind pose, order and units are the
    task's. cost: name of a cost of the task; empty = the default of the kind. trust_penalty: cost of a future that is
    not to be believed at all, in the units of the cost; 0 = no penalty.
    """

    kind: GoalKind
    image: Frames | None = None
    pose: Floats | None = None
    cost: str = ""
    trust_penalty: float = 0.0


class Approach(Protocol):
    """A goal as seen from a session. The session moves on, and every problem begins at its present."""

    def problem(self, frames: int) -> Problem:
        """Which actions over `frames` frames bring the session nearest to the goal?"""
        ...

    def look(self, image: Frames) -> None:
        """The session has observed this real image, uint8 [H, W, 3] RGB. Raises InputError if it cannot be read."""
        ...

    @property
    def rest(self) -> Floats | None:
        """The action [A] that leaves the robot where it was last seen; None where the task does not know one."""
        ...


class Goal(Protocol):
    """A goal that has been read."""

    def approach(self, session: Session, image: Frames) -> Approach:
        """From a session whose present frame is `image`, uint8 [H, W, 3] RGB. Raises InputError if it is unreadable."""
        ...

    def reached(self, image: Frames) -> bool | None:
        """Whether a real image shows the goal; None where images cannot tell."""
        ...
