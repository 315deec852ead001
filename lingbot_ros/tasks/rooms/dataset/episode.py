"""One house with one drive through it, rendered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.rooms.simulator.drive import drive
from lingbot_ros.tasks.rooms.simulator.house import House
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer, camera_to_world, intrinsics


@dataclass(frozen=True)
class Episode:
    """What a camera saw; see `layout` for shapes and units. `drive` float64 [T, 4] is what made `poses`."""

    house: House
    drive: NDArray[np.float64]
    frames: NDArray[np.uint8]
    depth: NDArray[np.float32]
    poses: NDArray[np.float64]
    intrinsics: NDArray[np.float64]


def render_drive(renderer: HouseRenderer, house: House, poses: NDArray[np.float64]) -> Episode:
    """The episode of a given drive, float64 [T, 4] as `drive` returns it."""
    if renderer.house != house:
        renderer.enter(house)
    seen = [renderer.render(pose) for pose in poses]
    return Episode(
        house,
        poses,
        np.stack([colour for colour, _ in seen]),
        np.stack([depth for _, depth in seen]),
        camera_to_world(house, poses),
        intrinsics(house, renderer.size),
    )


def draw_drive(house: House, frames: int, fps: float) -> NDArray[np.float64]:
    """The drive that belongs to the house: its seed decides it."""
    return drive(house, np.random.default_rng([house.seed, 2]), frames, fps)


def out_and_back(house: House, frames: int, fps: float) -> NDArray[np.float64]:
    """A drive that ends where it began, by the same poses in reverse: float64 [2 * frames, 4]."""
    out = draw_drive(house, frames, fps)
    return np.concatenate([out, out[::-1]])
