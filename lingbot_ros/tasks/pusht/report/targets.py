"""What a Push-T model that deserves trust reaches: a floor and a goal for every main figure at frames 1, 16 and 64."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lingbot_ros.evaluate.bootstrap import Summary, summarise
from lingbot_ros.tasks.pusht.metrics import Measures

FLOOR_FRAMES = (1, 16, 64)
LIMIT_MS = 62.0
"""The longest that a frame may take (p95): at 16 frames per second there is no more time."""

Verdict = Literal["goal", "floor", "MISS"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Target:
    """A figure's limits at `FLOOR_FRAMES`; `relation` >= where more is better, else <=."""

    name: str
    measure: str
    statistic: str
    relation: Literal[">=", "<="]
    floors: Triple
    goals: Triple | None


TARGETS = (
    Target("PSNR, mean dB", "psnr_db", "mean", ">=", (37, 28, 23), (39, 32, 27)),
    Target("pusher error, median px", "pusher_px", "median", "<=", (0.4, 1, 2), (0.2, 0.5, 1)),
    Target("block mask IoU, mean", "block_iou", "mean", ">=", (0.96, 0.80, 0.55), (0.98, 0.90, 0.75)),
    Target("block pose, median px", "pose_px", "median", "<=", (0.5, 2, 6), None),
    Target("block pose, median deg", "pose_deg", "median", "<=", (2, 8, 25), None),
    Target("block rigidity, mean", "rigidity", "mean", ">=", (0.90, 0.85, 0.80), (0.92, 0.91, 0.90)),
)


@dataclass(frozen=True)
class Floor:
    """One figure at one frame beside what it should be. `still`: the same figure when nothing moves."""

    name: str
    frame: int
    value: Summary
    still: float
    relation: str
    floor: float
    goal: float | None
    verdict: Verdict


def hold_against_floors(frames: Sequence[int], model: Measures, still: Measures) -> tuple[Floor, ...]:
    """Every target at those of frames 1, 16 and 64 that are among the measured `frames`."""
    rows = []
    for target in TARGETS:
        for position, frame in enumerate(FLOOR_FRAMES):
            if frame not in frames:
                continue
            k = frames.index(frame)
            value = summarise(getattr(model, target.measure)[:, k], target.statistic)
            nothing = summarise(getattr(still, target.measure)[:, k], target.statistic).value
            floor, goal = target.floors[position], target.goals[position] if target.goals else None
            verdict = _verdict(value.value, target.relation, floor, goal)
            rows.append(Floor(target.name, frame, value, nothing, target.relation, floor, goal, verdict))
    return tuple(rows)


def _verdict(value: float, relation: str, floor: float, goal: float | None) -> Verdict:
    reaches = operator.ge if relation == ">=" else operator.le
    if np.isnan(value) or not reaches(value, floor):
        return "MISS"
    return "goal" if goal is not None and reaches(value, goal) else "floor"
