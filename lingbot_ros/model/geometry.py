"""Sizes of the released family: pixels and frames <-> latents (model_spec 2)."""

import math

from lingbot_ros.errors import InputError

SPATIAL_STRIDE = 8
"""Pixels per latent cell along each image axis."""

TEMPORAL_STRIDE = 4
"""Pixel frames per latent frame, but the first, which is one frame alone."""


def latent_size(height: int, width: int, area: int) -> tuple[int, int]:
    """Latent height and width for an image of `height` x `width` pixels at a pixel `area`; both even.

    Double precision in exactly this order, as the released pipeline: where a square root is mathematically a multiple
    of 8 the rounding decides, so that 480 x 832 at area 480 * 832 becomes 58 x 104.
    """
    if min(height, width, area) < 1:
        raise InputError("height, width, area", f"{height}, {width}, {area}", "give positive numbers of pixels")
    aspect = height / width
    rows = math.sqrt(area * aspect) // SPATIAL_STRIDE // 2 * 2
    columns = math.sqrt(area / aspect) // SPATIAL_STRIDE // 2 * 2
    return int(rows), int(columns)


def frame_size(height: int, width: int, area: int) -> tuple[int, int]:
    """Height and width in pixels of frames of about `area` pixels with the aspect of an image; raises InputError."""
    rows, columns = latent_size(height, width, area)
    if not rows or not columns:
        raise InputError("size", f"{area} pixels for an image of {width} x {height}", "give a larger area")
    return rows * SPATIAL_STRIDE, columns * SPATIAL_STRIDE


def frames_of_latents(latents: int) -> int:
    """Pixel frames that the first `latents` latent frames of a stream decode to."""
    return TEMPORAL_STRIDE * (latents - 1) + 1


def whole_chunk_latents(frames: int, chunk: int) -> int:
    """Latent frames of a clip of `frames` pixel frames, cut to whole chunks as the released pipeline does.

    Raises InputError when the clip is shorter than one chunk.
    """
    latents = ((frames - 1) // TEMPORAL_STRIDE + 1) // chunk * chunk
    if latents < 1:
        least = frames_of_latents(chunk)
        raise InputError("frames", frames, f"give at least {least}, one chunk of {chunk} latent frames")
    return latents
