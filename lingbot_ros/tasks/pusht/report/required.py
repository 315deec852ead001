"""What a Push-T model must reach to be shipped at all."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.limits import Check, Relation
from lingbot_ros.tasks.pusht.metrics import Measures
from lingbot_ros.tasks.pusht.report.wrong_actions import WrongActions


def check_required(
    frames: tuple[int, ...],
    model: Measures,
    repeat: Measures,
    all_pusher_px: NDArray[np.float64],
    contact: NDArray[np.bool_],
    wrong: Mapping[str, WrongActions],
) -> tuple[Check, ...]:
    """The checks that can be made at `frames`, over the windows with `contact` [N]; `all_pusher_px` [N, H].

    Without any such window all of them fail.
    """
    if not contact.any():
        return (Check("windows in which the block is pushed", 0.0, ">=", 1.0),)
    model, repeat, first = model.select(contact), repeat.select(contact), all_pusher_px[:, :16]
    checks = [Check("pusher error, median of frames 1-16, px", float(np.median(first[contact])), "<=", 3.0)]
    gains: tuple[tuple[int, Relation, float], ...] = ((1, ">", 0.0), (4, ">", 0.0), (8, ">=", 2.0))
    for frame, relation, gain in gains:
        if frame in frames:
            k = frames.index(frame)
            value = float(model.psnr_db[:, k].mean() - repeat.psnr_db[:, k].mean())
            checks.append(Check(f"PSNR above repeating the last frame at {frame}, dB", value, relation, gain))
    if 16 in frames:
        k = frames.index(16)
        value = float(model.centroid_px[:, k].mean() / repeat.centroid_px[:, k].mean())
        checks.append(Check("block centroid error over that of a static block at 16", value, "<=", 0.7))
    if "shuffled" in wrong:
        lost = wrong["shuffled"].first_pusher_px
        value = float(np.median(lost) / np.median(first[: len(lost)]))
        checks.append(Check("pusher error with shuffled over with true actions", value, ">=", 3.0))
    return tuple(checks)
