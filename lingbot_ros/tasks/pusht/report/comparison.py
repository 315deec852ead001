"""The same model in another precision on the same windows: what the cheaper weights cost in quality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.bootstrap import Summary, summarise
from lingbot_ros.tasks.pusht.metrics import Measures, measure
from lingbot_ros.tasks.pusht.report.targets import TARGET_FRAMES
from lingbot_ros.tasks.pusht.windows import PushTWindows

MOST_DB = 0.2
"""A precision is as good as another when its mean PSNR is lower by no more than this at every frame."""

_FIGURES = (("psnr_db", "mean"), ("pusher_px", "median"), ("block_iou", "mean"), ("rigidity", "mean"))


@dataclass(frozen=True)
class Difference:
    """A figure in both precisions, and the mean over windows of the other's value minus this one's, with interval."""

    measure: str
    statistic: str
    frame: int
    this: float
    other: float
    difference: Summary


@dataclass(frozen=True)
class Comparison:
    """`other` against `this` precision. `within`: the mean PSNR is nowhere lower by more than 0.2 dB."""

    this: str
    other: str
    windows: int
    p50_ms: float
    p95_ms: float
    differences: tuple[Difference, ...]
    within: bool


def compare(
    windows: PushTWindows,
    this: tuple[str, NDArray[np.uint8]],
    other: tuple[str, NDArray[np.uint8]],
    other_frame_s: NDArray[np.float64],
) -> Comparison:
    """Measure two imagined futures, each (precision, uint8 [N, H, 96, 96, 3]), at frames 1, 16 and 64 and subtract.

    other_frame_s: seconds that frames took in the other precision.
    """
    frames = [frame for frame in TARGET_FRAMES if frame <= windows.horizon]
    first, second = (_measure(windows, imagined, frames) for _, imagined in (this, other))
    rows = []
    for name, statistic in _FIGURES:
        for k, frame in enumerate(frames):
            mine, theirs = getattr(first, name)[:, k], getattr(second, name)[:, k]
            this_value, other_value = (summarise(column, statistic).value for column in (mine, theirs))
            difference = summarise(theirs - mine, "mean")
            rows.append(Difference(name, statistic, frame, this_value, other_value, difference))
    within = all(row.difference.value >= -MOST_DB for row in rows if row.measure == "psnr_db")
    p50, p95 = np.percentile(other_frame_s, (50, 95)) * 1e3
    return Comparison(this[0], other[0], len(windows), float(p50), float(p95), tuple(rows), within)


def _measure(windows: PushTWindows, imagined: NDArray[np.uint8], frames: list[int]) -> Measures:
    at = np.array(frames) - 1
    pusher, block = windows.pusher[:, windows.context :][:, at], windows.block[:, windows.context :][:, at]
    return measure(imagined[:, at], windows.future[:, at], pusher, block)
