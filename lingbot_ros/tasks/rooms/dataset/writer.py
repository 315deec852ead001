"""Renders a data set house by house; what is there already is kept."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from lingbot_ros.datasets.parts import SPARE_BYTES, missing_parts, new_part, require_space, write_task_plan
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.rooms.dataset.episode import draw_drive, render_drive
from lingbot_ros.tasks.rooms.dataset.layout import PART, RoomsPlan, read_plan
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer

_VERSIONED = ("miniworld", "pyglet", "numpy")


def plan_dataset(split: str, seed: int, houses: int, frames: int, fps: float, size: int = 128) -> RoomsPlan:
    """The plan of a set to be rendered here. Raises InputError for an unknown split or sizes that make no set."""
    for field, value in (("houses", houses), ("frames", frames)):
        if value < 1:
            raise InputError(field, value, "give 1 or more")
    if not 0 < fps <= 120:
        raise InputError("fps", fps, "give more than 0 and at most 120")
    house_seed(split, seed, houses - 1)
    return RoomsPlan("rooms", split, seed, houses, frames, fps, size, {name: _version(name) for name in _VERSIONED})


def missing_houses(root: Path, plan: RoomsPlan) -> list[int]:
    """Start or take up the set in `root`: the numbers of the houses that are not there yet.

    Raises InputError when `root` holds a set of another plan, ResourceError when the disk cannot take the rest.
    """
    missing = missing_parts(root, plan, read_plan, write_task_plan, PART, plan.houses)
    if missing:
        require_space(root, plan.bytes * len(missing) // plan.houses + SPARE_BYTES)
    return missing


def write_houses(root: Path, plan: RoomsPlan, houses: list[int]) -> Iterator[int]:
    """Render `houses` of the set in `root`; yields the number of each that is in place."""
    renderer = HouseRenderer(plan.size)
    for index in houses:
        house = draw_house(house_seed(plan.split, plan.seed, index), varied_camera=plan.split != "test")
        episode = render_drive(renderer, house, draw_drive(house, plan.frames, plan.fps))
        with new_part(root, PART, index) as folder:
            np.save(folder / "frames.npy", episode.frames)
            np.save(folder / "depth.npy", episode.depth.astype(np.float16))
            np.save(folder / "poses.npy", episode.poses)
            np.save(folder / "intrinsics.npy", episode.intrinsics)
        yield index


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
