"""How good a depth network is on views of drives that were held out."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.training.scene.loss import Predictor
from lingbot_ros.training.scene.photometric import warp_error
from lingbot_ros.training.scene.views import Views, ViewSource, seen_from_other

_VIEWS = 8


@dataclass(frozen=True)
class DepthQuality:
    """Medians over held-out views; None where there is nothing to measure.

    frames, holes: relative error of depth on whole images, and in the holes of incomplete ones, where depth was
    measured. warped_db: PSNR of views warped from their neighbours by the predicted depth; turned_db: the same as if
    all were infinitely far, so that the images are only turned.
    """

    frames: float | None
    holes: float | None
    warped_db: float | None
    turned_db: float | None

    def text(self) -> str:
        """For a person."""
        lines = []
        if self.frames is not None and self.holes is not None:
            lines.append(f"median error of depth: {self.frames:.1%} on real frames, {self.holes:.1%} in holes")
        if self.warped_db is not None and self.turned_db is not None:
            lines.append(
                f"a view warped from its neighbours by the predicted depth: {self.warped_db:.1f} dB PSNR "
                f"(neighbours only turned: {self.turned_db:.1f} dB)"
            )
        return "\n".join(lines)


@torch.no_grad()
def measure(predictor: Predictor, source: ViewSource, batches: int) -> DepthQuality:
    """The network on views of `source`, the same ones every time."""
    rng = np.random.default_rng(0)
    errors, in_holes, warped, turned = list[Tensor](), list[Tensor](), list[Tensor](), list[Tensor]()
    for _ in range(batches):
        views = source.draw(_VIEWS, rng)
        disparity = predictor.of_whole(views, views.colour.float() / 255)
        warped.append(warp_error(disparity, views))
        turned.append(warp_error(0 * disparity, views))
        if views.measured.any():
            views, disparity = views.rows(views.measured), disparity[views.measured]
            there, seen = views.depth > 0, seen_from_other(views)
            errors.append(_relative_error(disparity, views)[there])
            guess = predictor.disparity(views, views.colour.float() / 255, seen, seen)
            in_holes.append(_relative_error(guess, views)[there & (seen == 0)])
    return DepthQuality(_median(errors), _median(in_holes), _psnr(warped), _psnr(turned))


def _relative_error(disparity: Tensor, views: Views) -> Tensor:
    return (1 / disparity / views.depth.clamp(min=0.01) - 1).abs()


def _median(parts: Iterable[Tensor]) -> float | None:
    values = torch.cat([*parts, torch.zeros(0)])
    values = values[values.isfinite()]
    return float(values.median()) if len(values) else None


def _psnr(squares: Iterable[Tensor]) -> float | None:
    """Of views whose error is 0 the source was the view itself: they say nothing."""
    median = _median([part[part > 0] for part in squares])
    return None if median is None else float(-10 * np.log10(median))
