"""Held-out drives: test houses with the usual camera, which no training saw."""

from collections.abc import Iterator

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.rooms.dataset.episode import Episode, draw_drive, out_and_back, render_drive
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer

FPS = 16.0
REVISIT_FRAMES = 136
"""Frames of the way out of a revisit; the way back has as many."""


def held_out_drives(renderer: HouseRenderer, count: int, seed: int, frames: int) -> Iterator[Episode]:
    """The first `count` test houses of a base seed, each with a drive of `frames` frames at 16 per second."""
    for field, value in (("episodes", count), ("frames", frames)):
        if value < 1:
            raise InputError(field, value, "give 1 or more")
    for index in range(count):
        house = draw_house(house_seed("test", seed, index))
        yield render_drive(renderer, house, draw_drive(house, frames, FPS))


def revisits(renderer: HouseRenderer, count: int, seed: int) -> Iterator[Episode]:
    """Drives that leave and come back by the same poses, in further test houses of the base seed."""
    for index in range(count):
        house = draw_house(house_seed("test", seed, 500_000 + index))
        yield render_drive(renderer, house, out_and_back(house, REVISIT_FRAMES, FPS))
