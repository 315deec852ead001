"""First images from the simulator: what the camera sees at the beginning of a drive through a test house."""

import functools

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.rooms.dataset.episode import draw_drive
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer


def first_view(index: int, size: int) -> NDArray[np.uint8]:
    """uint8 [size, size, 3] of house number `index`. Raises LingbotError where MiniWorld is missing."""
    renderer, house = _renderer(size), draw_house(house_seed("test", 0, index))
    renderer.enter(house)
    return renderer.render(draw_drive(house, 1, 16.0)[0])[0]


@functools.cache
def _renderer(size: int) -> HouseRenderer:
    return HouseRenderer(size)  # one graphics context for all environments
