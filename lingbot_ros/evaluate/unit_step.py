"""The unit step with which a model's camera goes as far as it is sent, from a drive over a known distance.

The model imagines the same drive from the clip's first image. Both clips show the same scene, so that visual odometry
can tell how far the imagined camera went compared with the real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pose_following.scale import DistanceRatio, distance_ratio
from lingbot_ros.model.geometry import TEMPORAL_STRIDE
from lingbot_ros.world import World

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class UnitStepFit:
    """unit_step: the fitted one, m. before, after: distance imagined / distance driven with the old and the new one."""

    unit_step: float
    before: DistanceRatio
    after: DistanceRatio


@dataclass(frozen=True)
class Drive:
    """Images uint8 [h, w, 3] of a camera that goes straight on for `distance_m`, and fx, fy, cx, cy in their pixels."""

    images: Sequence[Frame]
    distance_m: float
    intrinsics: ArrayLike
    prompt: str = ""


def fit_unit_step(world: World, drive: Drive, unit_step: float, seed: int = 0) -> UnitStepFit:
    """Imagine the drive with `unit_step` (m), correct that by the ratio of distances, and imagine it again to check.

    Raises InputError for a clip that cannot tell, a model without a camera, or a drive too long for the model.
    """
    if world.info.control.kind != "camera":
        raise InputError("model", world.info.name, "give a model that is driven by camera poses")
    if len(drive.images) < 2 or not 0 < drive.distance_m < np.inf:
        got = f"{len(drive.images)} images over {drive.distance_m} m"
        raise InputError("clip, distance", got, "give two or more images and a positive distance")
    real = [world.fit_image(image) for image in drive.images]
    before = _ratio(world, drive, real, unit_step, seed)
    fitted = unit_step * before.ratio
    return UnitStepFit(fitted, before, _ratio(world, drive, real, fitted, seed))


def _ratio(world: World, drive: Drive, real: Sequence[Frame], unit_step: float, seed: int) -> DistanceRatio:
    frames = _frames(world, drive.distance_m, unit_step)
    path = np.tile(np.eye(4), (frames, 1, 1))
    path[:, 2, 3] = np.linspace(0, drive.distance_m, frames)
    session = world.start(
        drive.images[0], prompt=drive.prompt, intrinsics=drive.intrinsics, unit_step=unit_step, seed=seed
    )
    try:
        lens, imagined = session.lens, [real[0]]
        while session.frame_index < frames:
            first = session.frame_index
            imagined += list(session.step(path[first : first + session.frames_in_next_chunk]))
    finally:
        session.close()
    assert lens is not None
    fx, fy, cx, cy = lens.intrinsics
    # Rays go through pixel centres at + 0.5; OpenCV counts pixels from the centre of the first.
    camera = np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])
    return distance_ratio(real, imagined, camera)


def _frames(world: World, distance_m: float, unit_step: float) -> int:
    """Whole chunks in which the drive takes about full speed, `unit_step` per latent frame."""
    info = world.info
    wanted = distance_m / unit_step * TEMPORAL_STRIDE + 1
    chunks = max(0, round((wanted - info.first_chunk_frames) / info.frames_per_chunk))
    frames = info.first_chunk_frames + chunks * info.frames_per_chunk
    most = info.max_horizon or frames
    if frames > most:
        fix = f"give a part of the drive: {info.name} imagines {most} frames, at most {most / 4 * unit_step:.2f} m"
        raise InputError("distance", f"{distance_m} m", fix)
    return frames
