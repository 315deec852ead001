"""Points that are followed from one image to another."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Frame = NDArray[np.uint8]

_MOST_CORNERS = 800
_CORNERS = {"maxCorners": _MOST_CORNERS, "qualityLevel": 0.01, "minDistance": 7}
_FLOW = {"winSize": (21, 21), "maxLevel": 3}
_THERE_AND_BACK_PX = 1.0
_FEWEST_TRACKS, _FEWEST_CELLS, _GRID = 50, 6, 4


@dataclass(frozen=True)
class Tracks:
    """p [n, 2] in the first image and q [n, 2] in the second, pixels (x, y)."""

    p: Floats
    q: Floats
    size: tuple[int, int]
    """Height and width."""

    @property
    def suffice(self) -> bool:
        """Whether there are enough of them, in enough places, to tell a motion."""
        height, width = self.size
        cells = {(int(_GRID * y / height), int(_GRID * x / width)) for x, y in self.p.tolist()}
        return len(self.p) >= _FEWEST_TRACKS and len(cells) >= _FEWEST_CELLS


def track(first: Frame, second: Frame) -> Tracks:
    """Corners of the first image found again in the second, images uint8 [H, W, 3] RGB; only those that lead back."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    corners = cv2.goodFeaturesToTrack(grey[0], mask=None, **_CORNERS)  # type: ignore[call-overload]
    if corners is None:
        return Tracks(np.empty((0, 2)), np.empty((0, 2)), grey[0].shape)
    there, found, _ = cv2.calcOpticalFlowPyrLK(grey[0], grey[1], corners, None, **_FLOW)  # type: ignore[call-overload]
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey[1], grey[0], there, None, **_FLOW)  # type: ignore[call-overload]
    apart = np.linalg.norm((back - corners).reshape(-1, 2), axis=1)
    kept = (found.ravel() == 1) & (found_back.ravel() == 1) & (apart < _THERE_AND_BACK_PX)
    p, q = (points.reshape(-1, 2)[kept].astype(np.float64) for points in (corners, there))
    return Tracks(p, q, grey[0].shape)
