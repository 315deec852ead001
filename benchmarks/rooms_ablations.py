"""What each idea of `rooms-small` is worth: the same weights, validation drives and poses, one idea left out at a time.

    .venv/bin/python benchmarks/rooms_ablations.py --drives 10

Needs MiniWorld. The drives are of the validation split, on which choices are made; reports use the test split.
"""

import argparse
import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np

from lingbot_ros.model.scene import painter
from lingbot_ros.model.scene.camera import to_world
from lingbot_ros.model.scene.enclosure import Room
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.room_planes import LevelView, RoomPlanes
from lingbot_ros.model.scene.scene import Scene
from lingbot_ros.model.scene.surfaces import CEILING, FLOOR, NONE, WALL, normals_of
from lingbot_ros.model.scene.tiles import Tiles
from lingbot_ros.tasks.rooms.dataset.episode import Episode, draw_drive, render_drive
from lingbot_ros.tasks.rooms.report.measure import Measures, imagine_drive
from lingbot_ros.tasks.rooms.report.report import FRAMES, summarise_measures
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import HouseRenderer, drive_of
from lingbot_ros.world import World

CONTEXT = 4
SHOWN = ("imagined.psnr_in_view_db_mean", "imagined.psnr_db_mean", "painted_sharpness_mean", "depth_error_median")


class Truth:
    """What the simulator knows of the drive that is imagined."""

    def __init__(self, renderer: HouseRenderer) -> None:
        self._renderer = renderer
        self.episode: Episode

    def disparity(self, pose: Any) -> Any:
        """[H, W] in 1/m from a pose in the session's axes."""
        if self._renderer.house != self.episode.house:
            self._renderer.enter(self.episode.house)
        _, depth = self._renderer.render(drive_of(self.episode.poses[0] @ pose))
        return (1 / np.maximum(depth, 0.05)).astype(np.float32)


Variant = Callable[[Truth], AbstractContextManager[Any]]


def as_shipped(_: Truth) -> AbstractContextManager[Any]:
    """Nothing is changed."""
    return nullcontext()


def without_tiles(_: Truth) -> AbstractContextManager[Any]:
    """Holes take the nearest colour of the same surface."""

    def look(self: Tiles, surface: Any, at: Any, footprint_m: Any) -> Any:
        return np.zeros((len(surface), 3), np.float32), np.zeros(len(surface), bool)

    return patch.object(Tiles, "look", look)


def without_guess(_: Truth) -> AbstractContextManager[Any]:
    """Walls that nobody saw are where rooms usually end, not where the network guesses them."""
    return patch.object(Room, "guessed", lambda room, *_: room)


def without_looks(_: Truth) -> AbstractContextManager[Any]:
    """Nothing is decided ahead: only what the camera is about to show."""
    return patch.object(Scene, "_looks", lambda scene, pose: np.zeros((0, 4, 4)))


def with_true_depth(truth: Truth) -> AbstractContextManager[Any]:
    """Real images come with their true distances."""
    measured = Painter.measured

    def told(self: Painter, image: Any, pose: Any, upright: Any) -> Any:
        with patch.object(Painter, "disparity_of", lambda painter, image: truth.disparity(pose)):
            return measured(self, image, pose, upright)

    return patch.object(Painter, "measured", told)


def with_true_layout(truth: Truth) -> AbstractContextManager[Any]:
    """What is painted is where it really is, objects too; its colours come from tiles as ever."""

    def told(view: LevelView, *_: Any) -> RoomPlanes:
        true = truth.disparity(view.pose)
        points = to_world(view.viewing / true[..., None], view.pose)
        normals = view.upright.along(normals_of(points))
        surface = np.full(true.shape, NONE, np.uint8)
        facing = np.stack((normals[..., 0], normals[..., 2], -normals[..., 0], -normals[..., 2])).argmax(0)
        upright_ones = np.abs(normals[..., 1]) < 0.3
        surface[upright_ones] = (WALL + facing)[upright_ones]
        surface[np.abs(points[..., 1] - view.floor_y) < 0.08] = FLOOR
        surface[np.abs(points[..., 1] - view.ceiling_y) < 0.08] = CEILING
        return RoomPlanes(true, surface, np.ones(true.shape, bool), np.zeros(true.shape, bool))

    real_images_too = patch.object(painter, "LevelView", type("Measuring", (LevelView,), {"planes": LevelView.planes}))
    patches = ExitStack()
    patches.enter_context(real_images_too)  # they are put into the walls that are fitted to them, as ever
    patches.enter_context(patch.object(LevelView, "planes", told))
    return patches


def with_both(truth: Truth) -> AbstractContextManager[Any]:
    """All distances are true; what is left are colours that nobody saw."""
    patches = ExitStack()
    patches.enter_context(with_true_depth(truth))
    patches.enter_context(with_true_layout(truth))
    return patches


VARIANTS: dict[str, Variant] = {
    "as shipped": as_shipped,
    "without tiles": without_tiles,
    "without the network's guess": without_guess,
    "without views painted ahead": without_looks,
    "without doors that nobody saw": as_shipped,
    "memory of one view": as_shipped,
    "true depth of real images": with_true_depth,
    "true distances of what is painted": with_true_layout,
    "both": with_both,
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drives", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="rows of the table")
    args = parser.parse_args()
    world = World.load("rooms-small", threads=1)
    renderer, drives = HouseRenderer(), list[Episode]()
    truth = Truth(renderer)
    for index in range(args.drives):
        house = draw_house(house_seed("validation", args.seed, index))
        drives.append(render_drive(renderer, house, draw_drive(house, CONTEXT + FRAMES[-1], 16.0)))
    shipped = world.model.config
    print("| | " + " | ".join(name.rsplit("_", 1)[0] for name in SHOWN) + f" | at frames {FRAMES}")
    changes: dict[str, dict[str, Any]] = {
        "memory of one view": {"keyframes": 1, "sources": 1},
        "without doors that nobody saw": {"doors": False},
    }
    for name in args.only:
        variant = VARIANTS[name]
        world.model.config = dataclasses.replace(shipped, **changes.get(name, {}))
        measures = Measures(FRAMES)
        with variant(truth):
            for episode in drives:
                truth.episode = episode
                measures.add(imagine_drive(world, episode, CONTEXT, FRAMES)[0])
        figures = summarise_measures(measures)
        digits = {"depth_error_median": 3, "painted_sharpness_mean": 2}
        cells = (" / ".join(f"{value:.{digits.get(key, 1)}f}" for value in figures[key]) for key in SHOWN)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
