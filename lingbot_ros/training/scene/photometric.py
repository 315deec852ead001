"""Depth from images and poses alone: with the right distances, one image warped into another one looks like it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lingbot_ros.model.scene.depth_network import view_rays
from lingbot_ros.training.scene.views import Views, pixel_grid

_SCALES, _COARSEST = (1, 4), 8
"""Images are compared at these shares of their size, at the coarsest only early: it shows the way from far off."""
_COARSE_UNTIL = 0.6
_SSIM, _L1 = 0.85, 0.3
_SMOOTHNESS = 0.7
"""Weight of the bends of disparity, which fall to a third of it: planes have none."""
_EDGES = 10.0
_NEAREST_Z = 0.1
"""What a source has behind it or at its lens: in units of a point's distance in the view."""


def photometric_loss(disparity: Tensor, views: Views, progress: float) -> Tensor:
    """How badly the sources, warped by `disparity` [B, 1, H, W], match the views, and how bent the disparity is.

    Of the two sources the one that matches better counts, pixel by pixel: what one does not see the other often does.
    `progress`: the share of the training that is done.
    """
    colour = views.colour.float() / 255
    sources = views.sources.float() / 255
    scales = (*_SCALES, _COARSEST) if progress < _COARSE_UNTIL else _SCALES
    matches = []
    for scale in scales:
        error, seen = _least_error(
            _shrunk(colour, scale),
            _shrunk(sources.flatten(0, 1), scale).unflatten(0, (-1, sources.shape[1])),
            _shrunk(disparity, scale),
            views.to_sources,
            views.intrinsics / scale,
            structure=True,
        )
        matches.append(error.sum() / seen.sum().clamp(min=1))
    bends = _SMOOTHNESS * (1 - 2 / 3 * progress) * _bends(disparity, colour)
    return torch.stack(matches).mean() + bends


def warp_error(disparity: Tensor, views: Views) -> Tensor:
    """Mean squared difference, of colours 0..1, between each view and its sources warped by `disparity`: [B].

    Over the pixels that a source shows, each from the source that matches better; NaN for a view without any.
    """
    error, seen = _least_error(
        views.colour.float() / 255,
        views.sources.float() / 255,
        disparity,
        views.to_sources,
        views.intrinsics,
        structure=False,
    )
    return error.sum((1, 2, 3)) / seen.sum((1, 2, 3))


def _least_error(
    colour: Tensor, sources: Tensor, disparity: Tensor, to_sources: Tensor, intrinsics: Tensor, structure: bool
) -> tuple[Tensor, Tensor]:
    """The error of each pixel and whether any source shows it, both [B, 1, H, W]; errors are 0 where none does."""
    errors, inside = [], []
    for source, to_source in zip(sources.unbind(1), to_sources.unbind(1), strict=True):
        warped, there = _warped(source, disparity, to_source, intrinsics)
        difference = (warped - colour).abs()
        if structure:
            error = _SSIM * _dissimilarity(warped, colour) + _L1 * difference.mean(1, keepdim=True)
        else:
            error = difference.square().mean(1, keepdim=True)
        errors.append(torch.where(there, error, torch.inf))
        inside.append(there)
    seen = torch.stack(inside).any(0)
    least = torch.stack(errors).amin(0)
    return torch.where(seen, least, 0), seen


def _warped(source: Tensor, disparity: Tensor, to_source: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """The source's colours at the view's pixels, and which of them lie in its image: bool [B, 1, H, W]."""
    height, width = disparity.shape[-2:]
    rays = view_rays(intrinsics, height, width).flatten(2)
    points = torch.cat((rays, torch.ones_like(rays[:, :1])), 1)
    # Points divided by their distance: disparity 0 is infinitely far, and only turns.
    there = to_source[:, :3, :3] @ points + to_source[:, :3, 3:] * disparity.flatten(2)
    grid = pixel_grid(there, intrinsics, height, width)
    inside = (grid.abs() < 1).all(-1) & (there[:, 2] > _NEAREST_Z).unflatten(1, (height, width))
    return F.grid_sample(source, grid, padding_mode="border", align_corners=False), inside[:, None]


def _dissimilarity(a: Tensor, b: Tensor) -> Tensor:
    """(1 - SSIM) / 2 over 3 x 3 pixels, [B, 1, H, W]: 0 for the same structure."""
    a, b = (F.pad(image, (1, 1, 1, 1), mode="reflect") for image in (a, b))
    means = F.avg_pool2d(torch.cat((a, b, a * a, b * b, a * b), 1), 3, 1)
    mean_a, mean_b, square_a, square_b, product = means.chunk(5, 1)
    variances, covariance = square_a - mean_a**2 + square_b - mean_b**2, product - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + 1e-4) / (mean_a**2 + mean_b**2 + 1e-4)
    similarity = luminance * (2 * covariance + 9e-4) / (variances + 9e-4)
    return ((1 - similarity) / 2).clamp(0, 1).mean(1, keepdim=True)


def _bends(disparity: Tensor, colour: Tensor) -> Tensor:
    """Mean second difference of disparity over its mean, less where colours change."""
    relative = disparity / disparity.mean((2, 3), keepdim=True)
    total = disparity.new_zeros(())
    for axis in (2, 3):
        size = disparity.shape[axis]
        before, middle, after = (relative.narrow(axis, start, size - 2) for start in range(3))
        change = (colour.narrow(axis, 2, size - 2) - colour.narrow(axis, 0, size - 2)).abs().mean(1, keepdim=True)
        total = total + ((before - 2 * middle + after).abs() * (-_EDGES * change).exp()).mean()
    return total


def _shrunk(image: Tensor, scale: int) -> Tensor:
    return F.avg_pool2d(image, scale) if scale > 1 else image
