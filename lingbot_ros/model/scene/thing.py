"""A box or a ball that an event puts into a room: ray-cast with its own distance, hidden by what stands before it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats, Pose
from lingbot_ros.model.scene.events import RGB, Event

SIZE_M = 0.7
AHEAD_M = 2.0
"""Where it appears: so far ahead of the camera, or nearer where a wall is."""
_CLEARANCE_M = 0.6
_AMBIENT, _DIFFUSE = 0.65, 0.45
_TOWARDS_LIGHT = np.array([0.35, -0.8, -0.45], np.float32)


@dataclass(frozen=True)
class Place:
    """x, z in the scene, in metres, of the middle of a thing on the floor, and its turn about the vertical."""

    x: float
    z: float
    turn_rad: float


def place_ahead(pose: Pose, free_m: float) -> Place:
    """A place in front of a camera that sees `free_m` metres far."""
    ahead = pose[:3, 2] * np.array([1.0, 0.0, 1.0])
    ahead /= max(float(np.linalg.norm(ahead)), 1e-6)
    x, _, z = pose[:3, 3] + ahead * max(min(AHEAD_M, free_m - _CLEARANCE_M), _CLEARANCE_M)
    return Place(float(x), float(z), float(np.arctan2(ahead[0], ahead[2])) + 0.5)


def passes(place: Place, start: Pose, goal: Pose, radius_m: float) -> bool:
    """Whether the straight way between two poses comes within `radius_m` of a thing, and nearer than it began."""
    begin, middle = start[[0, 2], 3], np.array([place.x, place.z])
    way = goal[[0, 2], 3] - begin
    share = np.clip((middle - begin) @ way / max(float(way @ way), 1e-12), 0, 1)
    before, nearest = (float(np.linalg.norm(middle - begin - part * way)) for part in (0.0, share))
    return nearest < SIZE_M / 2 + radius_m and nearest < before - 1e-6


def with_thing(
    event: Event, place: Place, floor_y: float, rays: Floats, pose: Pose, colour: NDArray[np.uint8], disparity: Floats
) -> tuple[NDArray[np.uint8], Floats, NDArray[np.bool_]]:
    """Colour [H, W, 3] and disparity [H, W] with the event's thing in them, and where it shows.

    rays [H, W, 3]: viewing directions with z = 1.
    """
    directions = (rays @ pose[:3, :3].T.astype(np.float32)).astype(np.float32)
    middle = np.array([place.x, floor_y - SIZE_M / 2, place.z], np.float32)
    eye = pose[:3, 3].astype(np.float32) - middle
    distance, normals = (_box if event.thing == "box" else _ball)(eye, directions, place.turn_rad)
    shows = (distance > 0.05) & (distance * np.maximum(disparity, 1e-3) < 1)
    if not shows.any():
        return colour, disparity, shows
    light = _AMBIENT + _DIFFUSE * np.maximum(normals[shows] @ _TOWARDS_LIGHT, 0)
    result, nearer = colour.copy(), disparity.copy()
    paint = 255 * np.array(RGB[event.thing_colour], np.float32)
    result[shows] = np.rint(np.minimum(light[:, None], 1) * paint).astype(np.uint8)
    nearer[shows] = 1 / distance[shows]
    return result, nearer, shows


def _box(eye: Floats, directions: Floats, turn_rad: float) -> tuple[Floats, Floats]:
    """Distance along the axis [H, W], infinite beside it, and normals [H, W, 3] of a cube about the origin."""
    c, s = np.cos(turn_rad), np.sin(turn_rad)
    turn = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]], np.float32)
    start, way = turn @ eye, directions @ turn.T
    way = np.where(np.abs(way) < 1e-6, np.float32(1e-6), way)
    first, second = (-SIZE_M / 2 - start) / way, (SIZE_M / 2 - start) / way
    enters, leaves = np.minimum(first, second), np.maximum(first, second)
    distance, axis = enters.max(-1), enters.argmax(-1)
    missed = (distance > leaves.min(-1)) | (distance <= 0)
    side = np.take_along_axis(way, axis[..., None], -1)[..., 0]
    normals = -np.sign(side)[..., None] * turn[axis]
    return np.where(missed, np.inf, distance).astype(np.float32), normals.astype(np.float32)


def _ball(eye: Floats, directions: Floats, turn_rad: float) -> tuple[Floats, Floats]:
    """As `_box`, of a sphere."""
    square, half = (directions * directions).sum(-1), directions @ eye
    root = half * half - square * (eye @ eye - np.float32((SIZE_M / 2) ** 2))
    distance = np.where(root > 0, (-half - np.sqrt(np.maximum(root, 0))) / square, np.inf)
    distance = np.where(distance > 0, distance, np.inf).astype(np.float32)
    at = eye + directions * np.where(np.isfinite(distance), distance, 0)[..., None]
    return distance, np.asarray(at / np.float32(SIZE_M / 2), np.float32)
