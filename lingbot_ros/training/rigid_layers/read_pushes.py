"""Pushes among poses that were read off clips: what the law of contact is fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.drive import DriveLaw
from lingbot_ros.model.rigid_layers.outline import area_and_centroid, radius_of_gyration, skewness
from lingbot_ros.model.rigid_layers.polygon import Floats, nearest, place, unplace
from lingbot_ros.training.rigid_layers.law_fit import Pushes

_FRAMES = 3
"""A push is followed for so long: what is read is off by a tenth of a pixel, whatever the length of the way."""
_NEAR_PX = 2.0
_CLEAR_PX = 1.0
_OTHERS_PX = 2.0
_FARTHEST_PX, _MOST_TURN = 15.0, 1.2
"""What moves or turns by more has been read wrongly."""
_MOST = 2000


@dataclass(frozen=True)
class ReadEpisode:
    """poses [T+1, K, 3] in pixels and radians, NaN where unknown; targets [T, 2] of the actions.

    place, velocity [T+1, 2] of the driven thing: what its law and the images agree on.
    """

    poses: Floats
    place: Floats
    velocity: Floats
    targets: Floats


def read_pushes(
    episodes: Sequence[ReadEpisode], outlines: Sequence[Floats], drive: DriveLaw, radius: float, walls: Sequence[float]
) -> list[Pushes]:
    """The pushes of every moved thing, away from walls and from other things; none for what is never pushed so."""
    substeps = drive.substeps
    found: list[list[tuple[Floats, Floats, torch.Tensor]]] = [[] for _ in outlines]
    for episode in episodes:
        position, velocity = torch.from_numpy(episode.place).float(), torch.from_numpy(episode.velocity).float()
        _, _, way = drive(position[:-1], velocity[:-1], torch.from_numpy(episode.targets).float())
        before = position[:-1] - velocity[:-1] / substeps
        path = torch.cat((before[:, None], position[:-1, None], way), dim=1)
        for number, outline in enumerate(outlines):
            free = _free(episode, number, outlines, walls)
            for start in _near(episode, number, outline, radius):
                end = start + _FRAMES
                if free[start] and free[end]:
                    pose, after = episode.poses[start, 1 + number], episode.poses[end, 1 + number]
                    step = np.abs(after - pose)
                    if step[:2].max() < _FARTHEST_PX and step[2] < _MOST_TURN:
                        found[number].append((pose, after, path[start:end]))
    rng = np.random.default_rng(0)
    return [
        _stacked([pushes[i] for i in rng.permutation(len(pushes))[:_MOST]], outline)
        for pushes, outline in zip(found, outlines, strict=True)
        if pushes
    ]


def _stacked(pushes: Sequence[tuple[Floats, Floats, torch.Tensor]], outline: Floats) -> Pushes:
    shape, many = torch.from_numpy(outline).float(), len(pushes)
    return Pushes(
        torch.from_numpy(np.stack([pose for pose, _, _ in pushes])).float(),
        torch.from_numpy(np.stack([after for _, after, _ in pushes])).float(),
        shape.expand(many, -1, 2),
        area_and_centroid(shape)[1].expand(many, 2),
        skewness(shape).expand(many, 2),
        torch.stack([path for _, _, path in pushes]),
        float(radius_of_gyration(shape)),
    )


def _reaches(poses: Floats, outline: Floats) -> Floats:
    """How far left, up, right and down an outline reaches at poses [T, 3]: [T, 4]."""
    corners = np.stack([place(outline, pose) for pose in poses])
    return np.concatenate([corners.min(1), corners.max(1)], axis=-1)


def _near(episode: ReadEpisode, number: int, outline: Floats, radius: float) -> list[int]:
    """First frames of the stretches in which the disc comes near to a thing."""
    distance = np.full(len(episode.poses), np.inf)
    for k, pose in enumerate(episode.poses[:, 1 + number]):
        if np.isfinite(pose).all():
            distance[k] = nearest(unplace(episode.place[k : k + 1], pose), outline).distance[0] - radius
    return [k for k in range(len(distance) - _FRAMES) if distance[k : k + _FRAMES + 1].min() < _NEAR_PX]


def _free(episode: ReadEpisode, number: int, outlines: Sequence[Floats], walls: Sequence[float]) -> NDArray[np.bool_]:
    """In which frames [T+1] a thing is known to touch neither a wall nor another thing."""
    poses, outline = episode.poses, outlines[number]
    reach = _reaches(poses[:, 1 + number], outline)
    free: NDArray[np.bool_] = np.asarray(np.isfinite(reach).all(-1))
    free &= (reach[:, :2] > np.array(walls[:2]) + _CLEAR_PX).all(-1)
    free &= (reach[:, 2:] < np.array(walls[2:]) - _CLEAR_PX).all(-1)
    for other, shape in enumerate(outlines):
        if other == number:
            continue
        size = np.linalg.norm(outline, axis=-1).max() + np.linalg.norm(shape, axis=-1).max()
        apart = np.linalg.norm(poses[:, 1 + number, :2] - poses[:, 1 + other, :2], axis=-1)
        for k in np.nonzero(free & ~(apart > size + _OTHERS_PX))[0]:
            free[k] = _are_apart(outline, poses[k, 1 + number], shape, poses[k, 1 + other])
    return free


def _are_apart(one: Floats, pose: Floats, other: Floats, other_pose: Floats) -> bool:
    if not np.isfinite(other_pose).all():
        return False
    first = nearest(unplace(place(one, pose), other_pose), other).distance.min()
    second = nearest(unplace(place(other, other_pose), pose), one).distance.min()
    return bool(min(first, second) > _OTHERS_PX)
