"""What a Push-T model that deserves trust reaches: minimum and target of every main figure at frames 1, 16, 64."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lingbot_ros.evaluate.bootstrap import summarise
from lingbot_ros.evaluate.limits import Check
from lingbot_ros.tasks.pusht.metrics import Measures

TARGET_FRAMES = (1, 16, 64)
LIMIT_MS = 62.0
"""The longest that a frame may take (p95): at 16 frames per second there is no more time."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Target:
    """A figure's limits at `TARGET_FRAMES`; `relation` >= where more is better, else <=."""

    name: str
    measure: str
    statistic: str
    relation: Literal[">=", "<="]
    minimum: Triple
    target: Triple | None


TARGETS = (
    Target("PSNR, mean dB", "psnr_db", "mean", ">=", (37, 28, 23), (39, 32, 27)),
    Target("pusher error, median px", "pusher_px", "median", "<=", (0.4, 1, 2), (0.2, 0.5, 1)),
    Target("block mask IoU, mean", "block_iou", "mean", ">=", (0.96, 0.80, 0.55), (0.98, 0.90, 0.75)),
    Target("block pose, median px", "pose_px", "median", "<=", (0.5, 2, 6), None),
    Target("block pose, median deg", "pose_deg", "median", "<=", (2, 8, 25), None),
    Target("block rigidity, mean", "rigidity", "mean", ">=", (0.90, 0.85, 0.80), (0.92, 0.91, 0.90)),
)


def check_targets(frames: Sequence[int], model: Measures, repeat: Measures) -> tuple[Check, ...]:
    """Every target at those of frames 1, 16 and 64 that are among the measured `frames`."""
    rows = []
    for target in TARGETS:
        for position, frame in enumerate(TARGET_FRAMES):
            if frame not in frames:
                continue
            k = frames.index(frame)
            value = summarise(getattr(model, target.measure)[:, k], target.statistic)
            rows.append(
                Check(
                    target.name,
                    value.value,
                    target.relation,
                    target.minimum[position],
                    target.target[position] if target.target else None,
                    frame,
                    (value.low, value.high),
                    summarise(getattr(repeat, target.measure)[:, k], target.statistic).value,
                )
            )
    return tuple(rows)
