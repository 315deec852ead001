"""What any evaluation of a model is asked for, and what it gives: the contract of `lingbot eval-model`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lingbot_ros.errors import InputError

if TYPE_CHECKING:
    from lingbot_ros.world import World


MOST_FRAMES = 10_000
"""Of a held-out episode: all of its images are in memory at once."""


@dataclass(frozen=True)
class EvaluationOptions:
    """On how many held-out `episodes` drawn by `seed`, with how many `context` and imagined frames.

    other: the same model in another precision, to be compared on the same windows. load: gives the evaluated world with
    a number of CPU threads, for measuring its speed. quiet: show no progress. Raises InputError for sizes below 1, and
    for more frames than memory holds.
    """

    episodes: int
    seed: int
    context: int
    horizon: int
    other: "World | None" = None
    load: "Callable[[int], World] | None" = None
    quiet: bool = False

    def __post_init__(self) -> None:
        for name in ("episodes", "context", "horizon"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name}", getattr(self, name), "give 1 or more")
        for name in ("context", "horizon"):
            if getattr(self, name) > MOST_FRAMES:
                raise InputError(f"--{name}", getattr(self, name), f"give at most {MOST_FRAMES}")


class Evaluation(Protocol):
    """A finished evaluation. Writing raises ResourceError when it cannot."""

    @property
    def meets_required(self) -> bool:
        """Whether the model may be shipped at all."""
        ...

    @property
    def meets_minimum(self) -> bool:
        """Whether every figure reaches its minimum."""
        ...

    @property
    def losses(self) -> dict[str, float]:
        """By how much figures of `other` are worse than the world's, where both were measured; by figure and frame."""
        ...

    def text(self) -> str:
        """The report for a terminal."""
        ...

    def save_json(self, path: Path) -> None:
        """Write the report as JSON, whole or not at all."""
        ...

    def save(self, folder: Path) -> None:
        """Write the report as JSON, text and images."""
        ...

    def card_entries(self, command: str) -> dict[str, Any]:
        """What of it belongs on the model's card; `command` is what made it."""
        ...
