"""Does a place look the same after the camera has been away? Out for half of the way, back for the other, then hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lingbot_ros.evaluate.image_metrics.pixels import Frame, Video, luma

_LEFT_BELOW, _TOLD_APART = 0.5, 0.2
_LEAST_VALID = 0.8


@dataclass(frozen=True)
class Revisit:
    """score: about 0 for a place that was forgotten, 1 for one that looks as before; offset: at which frame after the
    expected one it looks most alike. None where the trial is not valid: the view never left, or the model cannot even
    stand still.
    """

    score: float | None
    offset: int | None


def revisit(*, trip: Video, static: Video, unrelated: Video, frames: int, hold: int) -> Revisit:
    """Of a trip of `frames` frames out and back and `hold` more; `static`: the same start without motion as long;
    `unrelated`: the same trip from another scene. Videos [frames + hold + 1, h, w, 3].
    """
    window = range(max(frames - hold, 1), min(frames + hold, len(trip) - 1) + 1)
    home = trip[0]
    back = [similarity(home, trip[at]) for at in window]
    still = min(similarity(home, static[at]) for at in window)
    other = max(similarity(home, unrelated[at]) for at in window)
    away = min(similarity(home, trip[at]) for at in range(frames // 3, 2 * frames // 3 + 1))
    if away > _LEFT_BELOW or still - other < _TOLD_APART:
        return Revisit(None, None)
    best = int(np.argmax(back))
    return Revisit((back[best] - other) / (still - other), window[best] - frames)


def median_revisit(trials: Sequence[Revisit]) -> float | None:
    """Over valid trials; None where fewer than 80 % are: a frozen model would else score 1."""
    scores = [trial.score for trial in trials if trial.score is not None]
    return float(np.median(scores)) if scores and len(scores) >= _LEAST_VALID * len(trials) else None


def similarity(first: Frame, second: Frame) -> float:
    """Normalised cross-correlation of brightness, -1..1; 0 where one of them is flat."""
    x, y = (luma(frame) - luma(frame).mean() for frame in (first, second))
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / size if size else 0.0
