"""What one real frame says about the outline of one layer: pixels that lie on its edge, and pixels that bound it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_BAND = np.ones((9, 9), np.uint8)
_CORE = np.ones((5, 5), np.uint8)
_HIDES = 0.02
_DISTURBED = 0.45
"""A thing on top that has this share of its rim in the layer has run into it: what it hides may be layer."""


@dataclass(frozen=True)
class Sight:
    """points float64 [N, 2] pixels (x, y) of the frame; share [N] of the layer in them, 0..1; pose [3] of the layer."""

    points: Floats
    share: Floats
    pose: Floats

    def at(self, pose: Floats) -> "Sight":
        """The same pixels with another pose."""
        return Sight(self.points, self.share, pose)


def look(share: Floats, above: Floats, pose: Floats) -> Sight:
    """The pixels that matter: those of a band about the layer's edge that nothing hides.

    `above` [H, W] is how much of each pixel other layers hide. Bodies do not overlap: what is hidden well inside of
    another is not layer either.
    """
    covered = (share > 0.02).astype(np.uint8)
    band = cv2.dilate(covered, _BAND) > cv2.erode((share > 0.98).astype(np.uint8), _BAND)
    hiding = (above > _HIDES).astype(np.uint8)
    hidden = hiding.astype(bool)
    rim = (cv2.dilate(hiding, np.ones((3, 3), np.uint8)) > 0) & ~hidden
    if rim.any() and (share[rim] > 0.5).mean() < _DISTURBED:
        hidden &= ~cv2.erode((above > 0.98).astype(np.uint8), _CORE).astype(bool)
    rows, columns = np.nonzero(band & ~hidden)
    return Sight(np.stack([columns, rows], -1).astype(np.float64), share[rows, columns], pose)


def largest_part(share: Floats) -> NDArray[np.bool_]:
    """The largest connected region [H, W] with at least half of every pixel."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((share > 0.5).astype(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros(share.shape, bool)
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))
