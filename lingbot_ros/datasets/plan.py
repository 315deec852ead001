"""Cuts episodes to length and divides them into training and validation episodes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.limits import check_limits
from lingbot_ros.errors import InputError


@dataclass(frozen=True)
class PlanOptions:
    """What one decides about a set, whatever it is made from.

    size: height, width of the frames in pixels. longest, shortest: steps of an episode; longer ones are cut into equal
    parts, shorter ones left out. validation: share of validation episodes, chosen by `seed`. components: names of
    the action components to keep, in order; none: all.
    """

    size: tuple[int, int] = (96, 96)
    longest: int = 100
    shortest: int = 16
    validation: float = 0.1
    seed: int = 0
    components: tuple[str, ...] = ()
    unit: str = ""
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    quantile: float = 0.001

    def check(self) -> None:
        """Raise InputError for values that make no set."""
        if min(self.size) < 1:
            raise InputError("size", f"{self.size[0]}x{self.size[1]}", "give HEIGHTxWIDTH in pixels, e.g. 96x96")
        if not 1 <= self.shortest <= self.longest:
            raise InputError("shortest, longest", f"{self.shortest}, {self.longest}", "give 1 <= shortest <= longest")
        if not 0 < self.validation < 1:
            raise InputError("validation", self.validation, "give a share between 0 and 1")
        if not 0 <= self.quantile < 0.5:
            raise InputError("quantile", self.quantile, "give 0 (smallest to largest) to less than 0.5")
        if (self.low is None) != (self.high is None):
            raise InputError("low, high", "only one of them", "give both or none")


def choose_components(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where the `wanted` components stand among `names`; all for none wanted. Raises InputError for unknown ones."""
    unknown = [name for name in wanted if name not in names]
    if unknown or len(set(wanted)) != len(wanted):
        raise InputError("components", ",".join(wanted), f"name each once, out of {', '.join(names)}")
    return [list(names).index(name) for name in wanted] or list(range(len(names)))


def cut(steps: int, longest: int) -> list[tuple[int, int]]:
    """(first frame, steps) of the parts that an episode of `steps` steps is cut into: as few and as equal as can be.

    Neighbours share the image between them, so that no step is lost.
    """
    parts = -(-steps // longest)
    edges = [steps * part // parts for part in range(parts + 1)] if parts else []
    return [(start, end - start) for start, end in pairwise(edges)]


def split(episodes: int, share: float, seed: int) -> tuple[int, ...]:
    """The numbers of the episodes held back for validation: `share` of them, at least one; the same for the same seed.

    Raises InputError for fewer than two episodes.
    """
    if episodes < 2:
        fix = (
            "at least 2 are needed, one for training and one for validation: record more, or lower longest or shortest"
        )
        raise InputError("episodes", episodes, fix)
    count = min(episodes - 1, max(1, round(share * episodes)))
    chosen = np.random.default_rng(seed).permutation(episodes)[:count]
    return tuple(sorted(int(episode) for episode in chosen))


def make_plan(
    source: dict[str, Any], fps: float, names: Sequence[str], steps: Sequence[int], options: PlanOptions
) -> ClipPlan:
    """The plan of a set with an episode for each of `steps` and the action components `names`."""
    options.check()
    if not (np.isfinite(fps) and fps > 0):
        raise InputError("fps", fps, "give a positive number of frames per second")
    if options.low is not None and options.high is not None:
        check_limits(options.low, options.high, tuple(names))
    return ClipPlan(
        source=source,
        fps=fps,
        height=options.size[0],
        width=options.size[1],
        action_names=tuple(names),
        steps=tuple(int(count) for count in steps),
        validation=split(len(steps), options.validation, options.seed),
        action_unit=options.unit,
        low=options.low,
        high=options.high,
        quantile=options.quantile,
    )
