"""Films of rollouts that are over: their actions are played again, in imagination or in the reference."""

from collections.abc import Sequence

import cv2
import numpy as np

from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.rollouts.stepper import Frames, RowError, Stepper

_HEIGHT_PX = 192
_QUALITY = 60
_GAP_PX = 4


def play_film(world: Stepper, start: Start, actions: Sequence[Sequence[float]], seed: int) -> Frames:
    """The frames uint8 [n + 1, H, W, 3] that `actions` [n][dim] lead to, the first image included, in a world whose
    rows are free. Raises LingbotError where the world fails.
    """
    shown = [_whole(world.start(0, start, seed))[None]]
    left = np.array(actions, np.float64)
    while len(left):
        count = world.frames_in_next_step(0)
        # A step takes whole chunks; the last action fills the last one.
        chunk = np.vstack([left, np.repeat(left[-1:], count, axis=0)])[:count]
        shown.append(_whole(world.step({0: chunk})[0])[: len(left)])
        left = left[count:]
    world.end(0)
    return np.concatenate(shown)


def _whole(shown: Frames | RowError) -> Frames:
    if isinstance(shown, RowError):
        raise LingbotError(f"film: the world failed ({shown.reason})", ErrorCode.INTERNAL)
    return shown


def side_by_side(imagined: Frames, real: Frames, fps: float) -> bytes | None:
    """An animated WebP, imagined left and real right, which browsers play by themselves; None where the installed
    OpenCV is older than 4.11 and cannot write one.
    """
    if not hasattr(cv2, "imencodeanimation"):
        return None
    gap = np.full((_HEIGHT_PX, _GAP_PX, 3), 255, np.uint8)
    both = [np.hstack([_sized(left), gap, _sized(right)]) for left, right in zip(imagined, real, strict=False)]
    animation = cv2.Animation()
    animation.frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGRA) for frame in both]
    animation.durations = [round(1000 / fps)] * len(both)
    written, data = cv2.imencodeanimation(".webp", animation, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return data.tobytes() if written else None


def _sized(frame: np.ndarray) -> np.ndarray:
    width = round(frame.shape[1] * _HEIGHT_PX / frame.shape[0])
    return np.asarray(cv2.resize(frame, (width, _HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)
