"""How far an estimated camera trajectory is from the commanded one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def rotation_error_deg(estimated: Floats, commanded: Floats) -> float:
    """The angle between two rotations [3, 3], 0..180 degrees; exact also for tiny ones."""
    apart = np.linalg.norm(estimated - commanded) / (2 * np.sqrt(2))
    return float(np.degrees(2 * np.arcsin(min(1.0, float(apart)))))


def direction_error_deg(estimated: Floats, commanded: Floats) -> float | None:
    """The angle between two translations [3], 0..180 degrees, whatever their lengths; None where one is 0."""
    if not np.any(estimated) or not np.any(commanded):
        return None
    across, along = np.linalg.norm(np.cross(estimated, commanded)), float(estimated @ commanded)
    return float(np.degrees(np.arctan2(across, along)))


@dataclass(frozen=True)
class Aligned:
    """Estimated positions after alignment: the scale that was found, and the distances to the truth, metres."""

    scale: float
    rms_m: float
    mean_m: float


def align_scale(estimated: Floats, commanded: Floats) -> Aligned | None:
    """Positions [n, 3] of cameras relative to the first, the estimate scaled to fit; None where it does not move."""
    found, truth = estimated - estimated[0], commanded - commanded[0]
    spread = float((found**2).sum())
    if spread == 0:
        return None
    scale = float((found * truth).sum()) / spread
    return _aligned(scale, scale * found, truth)


def align_similarity(estimated: Floats, commanded: Floats) -> Aligned | None:
    """The same after the best rotation, translation and scale (Umeyama, no reflection)."""
    found, truth = estimated - estimated.mean(axis=0), commanded - commanded.mean(axis=0)
    spread = float((found**2).sum())
    if spread == 0:
        return None
    u, strengths, vt = np.linalg.svd(truth.T @ found)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    scale = float((strengths * sign).sum()) / spread
    return _aligned(scale, scale * found @ (u * sign @ vt).T, truth)


def _aligned(scale: float, found: Floats, truth: Floats) -> Aligned:
    apart = np.linalg.norm(found - truth, axis=1)
    return Aligned(scale, float(np.sqrt((apart**2).mean())), float(apart.mean()))
