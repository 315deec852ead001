"""The two laws of motion, fitted to transitions by least squares."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
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
_SEARCHED, _EVALUATIONS = 2000, 600
_SETTLED_PX = 0.001


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
    [N, 2], path [N, 2 + substeps, 2]. First the gradient goes through the law itself, in logarithms of its constants.
    It does not see that a contact which is lost by a hair costs a whole substep, so that a search without a gradient
    (Nelder and Mead) has the last word. A few transitions that no constants explain do not matter, as the loss is
    robust (Cauchy).
    """
    size = outline.norm(dim=-1).amax(-1, keepdim=True) / 2  # a turn counts as what it does half way out
    constants = [getattr(law, name) for name in _START]
    unknown = torch.tensor([*np.log(list(_START.values())), _LEANING], dtype=torch.float32, requires_grad=True)
    optimizer = torch.optim.Adam([unknown], lr=_RATE, betas=(0.9, 0.95))
    generator = torch.Generator().manual_seed(0)

    def loss_of(point: Tensor, rows: Tensor, outlier: float) -> Tensor:
        values = dict(zip(_START, point[:4].exp(), strict=True))
        inputs = (pose[rows], outline[rows], centroid[rows] + point[4] * skew[rows], path[rows])
        ended = functional_call(law, values, inputs)
        error = torch.cat((ended[:, :2] - after[rows, :2], (ended[:, 2:] - after[rows, 2:]) * size[rows]), dim=1)
        return (error / outlier).square().log1p().mean()

    for iteration in range(_ITERATIONS):
        done = iteration / _ITERATIONS
        optimizer.param_groups[0]["lr"] = _RATE * min(1.0, 2 * (1 - done)) ** 2
        outlier = _OUTLIER_PX[0] * (_OUTLIER_PX[1] / _OUTLIER_PX[0]) ** min(1.0, 1.5 * done)
        rows = torch.randint(len(pose), (_BATCH,), generator=generator)
        loss = loss_of(unknown, rows, outlier)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    rows = torch.arange(min(len(pose), _SEARCHED))
    with torch.inference_mode():
        begin = unknown.detach().double().numpy()
        corners = begin + np.concatenate([np.zeros((1, 5)), np.diag([0.003, 0.003, 0.8, 0.02, 0.01])])
        found = minimize(
            lambda point: float(loss_of(torch.tensor(point, dtype=torch.float32), rows, _SETTLED_PX)),
            begin,
            method="Nelder-Mead",
            options={"initial_simplex": corners, "maxfev": _EVALUATIONS, "xatol": 1e-5, "fatol": 1e-6},
        ).x
    with torch.no_grad():
        for constant, value in zip(constants, np.exp(found[:4]), strict=True):
            constant.fill_(float(value))
    return float(found[4])
