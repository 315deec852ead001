"""Which frames of a drive show the same things from two places: distances can be told from such pairs."""

import numpy as np
from numpy.typing import NDArray

_MOST_APART_S, _LEAST_M, _MOST_TURN_RAD = 1.0, 0.08, 0.5


def parallax(poses: NDArray[np.float64], fps: float) -> NDArray[np.bool_]:
    """Camera-to-world [T, 4, 4] -> bool [T, T]: within a second, 8 cm or more apart, turned by 0.5 rad at most."""
    index = np.arange(len(poses))
    near = np.abs(index[:, None] - index) <= max(1, round(_MOST_APART_S * fps))
    moved = np.linalg.norm(poses[:, None, :3, 3] - poses[None, :, :3, 3], axis=-1) >= _LEAST_M
    # The trace of the relative rotation is 1 + 2 cos(angle).
    trace = np.einsum("aij,bij->ab", poses[:, :3, :3], poses[:, :3, :3])
    return np.asarray(near & moved & (trace >= 1 + 2 * np.cos(_MOST_TURN_RAD)))
