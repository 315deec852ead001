"""The two laws of motion, fitted to transitions by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from torch import Tensor

from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.outline import inset

Floats = NDArray[np.float64]

_TRANSITIONS = (500, 1000, 2000)
_EVALUATIONS = 400


@dataclass(frozen=True)
class Pushes:
    """Transitions of one pushed shape: its pose [N, 3] and the pose after T frames [N, 3], its one outline
    [N, V, 2] with centroid and skewness [N, 2], and the disc's path [N, T, 2 + substeps, 2]; float32.

    `gyration` is the unit in which that of the law is searched, pixels.
    """

    pose: Tensor
    after: Tensor
    outline: Tensor
    centroid: Tensor
    skew: Tensor
    path: Tensor
    gyration: float = 1.0


@dataclass(frozen=True)
class ContactSearch:
    """Where to begin: the four constants of the law (gyration in the units of the pushes) and the leaning.

    stages: at most three, the first on the fewest transitions; of each, what misses by more than this (pixels) hardly
    counts, and how wide the search begins. margin: how far the physical edge lies inside the outlines, where to begin;
    None: they are physical.
    """

    reach: float
    gyration: float
    slop: float = 0.01
    yielding: float = 0.1
    leaning: float = 0.2
    stages: tuple[tuple[float, float], ...] = ((0.3, 0.3), (0.03, 0.05), (0.001, 0.01))
    margin: float | None = None


@dataclass(frozen=True)
class ContactFit:
    """leaning, margin: see `Constants`; gyration in the units of the pushes; error_px: the median miss."""

    leaning: float
    margin: float
    gyration: float
    error_px: float


def fit_drive(position: Floats, velocity: Floats, target: Floats, after: Floats, velocity_after: Floats) -> Floats:
    """The law [2, 4] of a driven layer, all [N, 2] in pixels and pixels per frame; both axes obey the same one."""
    known = np.stack([position, velocity, target, np.ones_like(position)], -1).reshape(-1, 4)
    law, *_ = np.linalg.lstsq(known, np.stack([after, velocity_after], -1).reshape(-1, 2), rcond=None)
    return np.asarray(law.T)


def fit_contact(law: ContactLaw, pushes: Sequence[Pushes], search: ContactSearch) -> ContactFit:
    """Find the constants of `law` (its walls are known, its gyration is left as that of the last pushes).

    The search (Nelder and Mead) needs no gradient, which would not see that a contact which is lost by a hair costs a
    whole substep. A few transitions that no constants explain do not matter, as the loss is robust (Cauchy).
    """

    def fit_at(point: Floats) -> ContactFit:
        reach, gyration, slop, yielding = np.exp(point[:4])
        for name, value in (("reach", reach), ("slop", slop), ("yielding", yielding)):
            getattr(law, name).fill_(float(value))
        margin = float(np.clip(point[5], 0.0, reach / 2)) if len(point) > 5 else 0.0
        return ContactFit(float(point[4]), margin, float(gyration), float("nan"))

    def missed(point: Floats, count: int) -> Tensor:
        fit = fit_at(point)
        return torch.cat([missed_by(law, fit, shape, -(-count // len(pushes))) for shape in pushes])

    def loss(point: Floats, count: int, outlier_px: float) -> float:
        return float((missed(point, count) / outlier_px).square().log1p().mean())

    start = np.log([search.reach, search.gyration, search.slop, search.yielding])
    point = np.array([*start, search.leaning, *([] if search.margin is None else [search.margin])])
    with torch.inference_mode():
        for count, (outlier_px, width) in zip(_TRANSITIONS, search.stages, strict=False):
            widths = [width, width, 4 * width, width, width, width][: len(point)]
            simplex = point + np.concatenate([np.zeros((1, len(point))), np.diag(widths)])
            options = {"initial_simplex": simplex, "maxfev": _EVALUATIONS, "xatol": 1e-5, "fatol": 1e-6}
            point = minimize(loss, point, (count, outlier_px), method="Nelder-Mead", options=options).x
        # This also leaves the constants of the best point.
        error = float(missed(point, _TRANSITIONS[-1]).norm(dim=-1).median())
    return replace(fit_at(point), error_px=error)


def missed_by(law: ContactLaw, fit: ContactFit, shape: Pushes, count: int | None = None) -> Tensor:
    """By how much the law misses the first `count` pushes of a shape: [n, 3] pixels, a turn as what it does half way
    out. Leaves the shape's gyration in the law."""
    few = slice(count)
    law.gyration.fill_(fit.gyration * shape.gyration)
    outline = shape.outline[few]
    size = outline.norm(dim=-1).amax(-1, keepdim=True) / 2
    centre = shape.centroid[few] + fit.leaning * shape.skew[few]
    if fit.margin:
        outline = inset(outline[0], fit.margin).expand_as(outline)
    ended = law(shape.pose[few, None], outline[:, None], centre[:, None], shape.path[few, :, None])
    apart = ended[:, -1, 0] - shape.after[few]
    return torch.cat((apart[:, :2], apart[:, 2:] * size), dim=1)
