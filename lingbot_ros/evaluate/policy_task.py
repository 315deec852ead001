"""What a task must have for its policies to be evaluated."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from lingbot_ros.evaluate.policies.contract import Actions, Start, StateReader
from lingbot_ros.evaluate.rollouts.scorer import Scorer
from lingbot_ros.evaluate.rollouts.stepper import Stepper


class PolicyTask(Protocol):
    """Starts, a scorer and a reference of one task.

    packages: whose versions decide a figure. policies_file: policies to try it with. threshold: the score that counts
    as success, chosen where imagination can be believed; thresholds: all that are shown, ascending. horizons: in
    frames, of the rows of the table.
    """

    @property
    def name(self) -> str: ...

    @property
    def policies_file(self) -> Path: ...

    @property
    def packages(self) -> Sequence[str]: ...

    @property
    def threshold(self) -> float: ...

    @property
    def thresholds(self) -> Sequence[float]: ...

    @property
    def horizons(self) -> Sequence[int]: ...

    @property
    def how_starts_are_drawn(self) -> str:
        """For readers of a record: from what, and what they have in common."""

    @property
    def success_in_words(self) -> str:
        """What can be seen when the task is solved, a sentence for a judge that reads."""

    @property
    def scorer(self) -> Scorer: ...

    def starts(self, count: int, seed: int, folder: Path) -> Iterator[Start]:
        """`count` starts, the same for equal seeds, kept in `folder` so that they need not be made again."""

    def reference(self, rows: int) -> Stepper:
        """The true world or a trusted simulator."""

    def rest(self, start: Start) -> Actions:
        """The action [dim] that keeps the robot where it is at a start."""

    @property
    def robot_state(self) -> StateReader | None:
        """Reads the robot's own state [n] off an image uint8 [H, W, 3], for policies that want one; None: it cannot."""

    def true_scores(self, start: Start, actions: Sequence[Sequence[float]]) -> list[float]:
        """What the reference itself says of each frame that `actions` lead to; no image is read."""
