"""The two laws of motion, fitted to transitions by least squares."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from torch import Tensor

from lingbot_ros.model.rigid_layers.contact import ContactLaw

Floats = NDArray[np.float64]

_START = {"reach": 2.4, "gyration": 7.0, "slop": 0.01, "yielding": 0.1}
_LEANING = 0.2
_STAGES = ((500, 0.3, 0.3), (1000, 0.03, 0.05), (2000, 0.001, 0.01))
"""Of the search: transitions, what misses by more than this (pixels) hardly counts, how wide the search begins."""
_EVALUATIONS = 400


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
    [N, 2], path [N, 2 + substeps, 2]. The search (Nelder and Mead) needs no gradient, which would not see that a
    contact which is lost by a hair costs a whole substep. A few transitions that no constants explain do not matter, as
    the loss is robust (Cauchy).
    """
    size = outline.norm(dim=-1).amax(-1, keepdim=True) / 2  # a turn counts as what it does half way out

    def loss(point: Floats, count: int, outlier_px: float) -> float:
        for name, value in zip(_START, np.exp(point[:4]), strict=True):
            getattr(law, name).fill_(float(value))
        centre = centroid + float(point[4]) * skew
        ended = law(pose[:count, None], outline[:count, None], centre[:count, None], path[:count, None, None])
        missed = ended[:, 0, 0] - after[:count]
        error = torch.cat((missed[:, :2], missed[:, 2:] * size[:count]), dim=1)
        return float((error / outlier_px).square().log1p().mean())

    point = np.array([*np.log(list(_START.values())), _LEANING])
    with torch.inference_mode():
        for count, outlier_px, width in _STAGES:
            simplex = point + np.concatenate([np.zeros((1, 5)), np.diag([width, width, 4 * width, width, width])])
            options = {"initial_simplex": simplex, "maxfev": _EVALUATIONS, "xatol": 1e-5, "fatol": 1e-6}
            point = minimize(loss, point, (count, outlier_px), method="Nelder-Mead", options=options).x
        loss(point, 1, 1.0)  # leaves the constants of the best point
    return float(point[4])
