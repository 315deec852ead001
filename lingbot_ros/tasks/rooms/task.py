"""Rooms as a task: where each of its parts is. Everything is imported when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lingbot_ros.tasks.rooms.commands import DATASET
from lingbot_ros.tasks.task import Environment, FirstImage, Package, Task

if TYPE_CHECKING:
    from pathlib import Path

    from lingbot_ros.evaluate.evaluation import Evaluation, EvaluationOptions
    from lingbot_ros.training.scene.views import ViewSource
    from lingbot_ros.world import World


class Rooms(Task):
    """A camera drives through houses; ground truth is MiniWorld."""

    name = "rooms"
    title = "rooms"
    packages = (Package("miniworld", "miniworld", "the simulator of houses, for data and reports"),)
    environments = (
        Environment(
            "lingbot/Rooms-v0",
            "lingbot_ros.tasks.rooms.env.single:ImaginedRooms",
            "lingbot_ros.tasks.rooms.env.vector:ImaginedRoomsVector",
        ),
    )
    dataset_command = DATASET

    def first_image(self, seed: int) -> FirstImage | None:
        return None

    def scene_views(self, folder: Path) -> ViewSource:
        from lingbot_ros.tasks.rooms.dataset.reader import RoomsDataset
        from lingbot_ros.training.scene.drive_views import DriveViews

        data = RoomsDataset(folder)
        return DriveViews(data, range(len(data)))

    def evaluate(self, world: World, options: EvaluationOptions) -> Evaluation:
        from lingbot_ros.tasks.rooms.report.evaluation import evaluate

        return evaluate(world, options)
