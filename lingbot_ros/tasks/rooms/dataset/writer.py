"""Renders a data set house by house; what is there already is kept."""

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from lingbot_ros.errors import ErrorCode, InputError, ResourceError
from lingbot_ros.tasks.rooms.dataset.episode import draw_drive, render_drive
from lingbot_ros.tasks.rooms.dataset.layout import PLAN_FILE, RoomsPlan, house_folder, read_plan, write_plan
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer

_VERSIONED = ("miniworld", "pyglet", "numpy")
_SPARE_BYTES = 200_000_000


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
    if (root / PLAN_FILE).exists():
        _check_same(root, read_plan(root), plan)
    else:
        write_plan(root, plan)
    for leftover in root.glob(".house_*"):
        shutil.rmtree(leftover, ignore_errors=True)
    missing = [index for index in range(plan.houses) if not house_folder(root, index).exists()]
    needed = plan.bytes * len(missing) // plan.houses + _SPARE_BYTES
    free = shutil.disk_usage(root).free
    if missing and free < needed:
        raise _disk_error(root, f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free")
    return missing


def write_houses(root: Path, plan: RoomsPlan, houses: list[int]) -> Iterator[int]:
    """Render `houses` of the set in `root`; yields the number of each that is in place."""
    renderer = HouseRenderer(plan.size)
    for index in houses:
        house = draw_house(house_seed(plan.split, plan.seed, index), varied_camera=plan.split != "test")
        episode = render_drive(renderer, house, draw_drive(house, plan.frames, plan.fps))
        aside = root / f".house_{index:05d}.{os.getpid()}"
        try:
            aside.mkdir()
            np.save(aside / "frames.npy", episode.frames)
            np.save(aside / "depth.npy", episode.depth.astype(np.float16))
            np.save(aside / "poses.npy", episode.poses)
            np.save(aside / "intrinsics.npy", episode.intrinsics)
            aside.rename(house_folder(root, index))
        except OSError as error:
            shutil.rmtree(aside, ignore_errors=True)
            raise _disk_error(root, f"writing a house failed ({error.strerror})") from error
        yield index


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _check_same(root: Path, there: RoomsPlan, wanted: RoomsPlan) -> None:
    for field in RoomsPlan.__dataclass_fields__:
        old, new = getattr(there, field), getattr(wanted, field)
        if old != new:
            raise InputError(field, new, f"the set in {root} was created with {old}; use that, or another folder")


def _disk_error(root: Path, reason: str) -> ResourceError:
    return ResourceError(f"disk of {root}: {reason}; free some space or use another folder", ErrorCode.DISK)
