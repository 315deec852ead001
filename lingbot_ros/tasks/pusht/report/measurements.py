"""Holds imagined futures of Push-T, under true and wrong actions, against what the simulator did."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, centroid_at
from lingbot_ros.tasks.pusht.metrics import measure, pusher_errors
from lingbot_ros.tasks.pusht.report.report import Measurements, report_frames
from lingbot_ros.tasks.pusht.report.targets import TARGET_FRAMES
from lingbot_ros.tasks.pusht.report.wrong_actions import WrongFuture, measure_wrong
from lingbot_ros.tasks.pusht.windows import PushTWindows


def measure_windows(
    windows: PushTWindows,
    imagined: NDArray[np.uint8],
    wrong: Mapping[str, WrongFuture],
    frame_s: NDArray[np.float64],
) -> Measurements:
    """Measure what was imagined for every window under the true actions, uint8 [N, H, 96, 96, 3], and under wrong ones.

    `frame_s` are the seconds that frames took to imagine, any number of them.
    """
    pusher, block = windows.pusher[:, windows.context :], windows.block[:, windows.context :]
    frames = report_frames(windows.horizon)
    at = np.array(frames) - 1
    real = windows.future[:, at]
    still = np.repeat(windows.past[:, -1:], len(frames), axis=1)
    begin = centroid_at(windows.block[:, windows.context - 1])
    moved_units = np.linalg.norm(centroid_at(block[:, at]) - begin[:, None], axis=-1)
    wrong_frames = tuple(frame for frame in TARGET_FRAMES if frame <= windows.horizon)
    return Measurements(
        frames=frames,
        model=measure(imagined[:, at], real, pusher[:, at], block[:, at]),
        repeat=measure(still, real, pusher[:, at], block[:, at]),
        real=measure(real, real, pusher[:, at], block[:, at]),
        moved=moved_units * windows.frames.shape[2] / ARENA_SIZE >= 1.0,
        contact=windows.contact,
        all_pusher_px=pusher_errors(imagined, pusher),
        wrong={kind: measure_wrong(windows, future, wrong_frames) for kind, future in wrong.items()},
        frame_s=frame_s,
    )
