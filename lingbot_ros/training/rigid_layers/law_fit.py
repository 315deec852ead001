"""The two laws of motion, fitted to transitions by least squares."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from lingbot_ros.model.rigid_layers.contact import ContactLaw

Floats = NDArray[np.float64]

_START = {"reach": 2.4, "gyration": 7.0, "slop": 0.01, "yielding": 0.1}
_LEANING = 0.2
_ITERATIONS = 500
_BATCH = 512
_OUTLIER_PX = (0.3, 0.01)
"""What misses by more than this hardly counts, at the beginning and at the end of the fit."""
_RATE = 0.03


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
    [N, 2], path [N, 2 + substeps, 2]. The gradient goes through the law itself, in logarithms of its constants; a few
    transitions that no constants explain do not matter, as the loss is robust (Cauchy).
    """
    size = outline.norm(dim=-1).amax(-1, keepdim=True) / 2  # a turn counts as what it does half way out
    constants = [getattr(law, name) for name in _START]
    unknown = torch.tensor([*np.log(list(_START.values())), _LEANING], dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.Adam([unknown], lr=_RATE, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(0)
    for iteration in range(_ITERATIONS):
        done = iteration / _ITERATIONS
        optimizer.param_groups[0]["lr"] = _RATE * min(1.0, 2 * (1 - done)) ** 2
        outlier = _OUTLIER_PX[0] * (_OUTLIER_PX[1] / _OUTLIER_PX[0]) ** min(1.0, 1.5 * done)
        rows = torch.randint(len(pose), (_BATCH,), generator=generator)
        values = dict(zip(_START, unknown[:4].exp(), strict=True))
        inputs = (pose[rows], outline[rows], centroid[rows] + unknown[4] * skew[rows], path[rows])
        ended = functional_call(law, values, inputs)
        error = torch.cat((ended[:, :2] - after[rows, :2], (ended[:, 2:] - after[rows, 2:]) * size[rows]), dim=1)
        loss = (error / outlier).square().log1p().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for constant, value in zip(constants, unknown[:4].exp(), strict=True):
            constant.copy_(value)
    return float(unknown[4].detach())
