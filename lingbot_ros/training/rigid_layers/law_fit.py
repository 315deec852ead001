"""The two laws of motion, fitted to transitions by least squares."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import least_squares
from torch import Tensor

from lingbot_ros.model.rigid_layers.contact import ContactLaw

Floats = NDArray[np.float64]

_CONSTANTS = ("reach", "gyration", "slop", "yielding")
_GRADES = np.array([3.0, 10.0, 0.02, 0.1, 0.5])
_OUTLIERS_PX = (1.0, 0.2, 0.02)
"""What counts as an outlier, from a rough fit to a fine one."""


def fit_drive(position: Floats, velocity: Floats, target: Floats, after: Floats, velocity_after: Floats) -> Floats:
    """The law [2, 4] of a driven layer, all [N, 2] in pixels and pixels per frame; both axes obey the same one."""
    known = np.stack([position, velocity, target, np.ones_like(position)], -1).reshape(-1, 4)
    law, *_ = np.linalg.lstsq(known, np.stack([after, velocity_after], -1).reshape(-1, 2), rcond=None)
    return np.asarray(law.T)


def fit_contact(
    law: ContactLaw, pose: Tensor, after: Tensor, outline: Tensor, centroid: Tensor, skew: Tensor, path: Tensor
) -> float:
    """Find the constants of `law` (its walls are known) and return how far the centre of turning leans.

    Transitions of pushed layers: pose and after [N, 3], their physical outlines [N, V, 2] with centroid and skewness
    [N, 2], path [N, 2 + substeps, 2]. A few that no constants explain do not matter: the loss is robust.
    """
    size = outline.norm(dim=-1).amax(-1, keepdim=True) / 2  # a turn counts as what it does half way out

    def missed(scaled: Floats) -> Floats:
        values = scaled * _GRADES
        for name, value in zip(_CONSTANTS, values, strict=False):
            getattr(law, name).fill_(max(float(value), 1e-4))
        ended = law(pose, outline, centroid + float(values[4]) * skew, path)
        error = torch.cat((ended[:, :2] - after[:, :2], (ended[:, 2:] - after[:, 2:]) * size), dim=1)
        return np.asarray(error.flatten().double().numpy())

    scaled = np.array([0.8, 0.7, 1.0, 1.5, 0.3])
    for outlier_px in _OUTLIERS_PX:
        scaled = least_squares(
            missed, scaled, loss="cauchy", f_scale=outlier_px, diff_step=3e-3, x_scale="jac", max_nfev=40
        ).x
    missed(scaled)
    return float(scaled[4] * _GRADES[4])
