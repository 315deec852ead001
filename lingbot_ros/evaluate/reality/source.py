"""What `--against` names: a bag, or a set of clips."""

from collections.abc import Sequence
from pathlib import Path

from lingbot_ros.datasets.bag.action_types import ACTION_TYPES
from lingbot_ros.datasets.bag.images import IMAGE_TYPES
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.layout import is_clip_set
from lingbot_ros.datasets.parts import PLAN_FILE
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.reality.episodes import BagSource, Episode, only_topic, read_bag, read_clips
from lingbot_ros.world.world_info import WorldInfo


def is_data_set(path: Path) -> bool:
    """Whether a folder holds a data set of this project rather than a bag."""
    return (path / PLAN_FILE).is_file()


def open_bag(path: Path, images: str, actions: str, info: WorldInfo, horizon: int) -> list[Episode]:
    """The episodes of a bag at the rate and size of the model; an empty topic is the only one that fits.

    Raises InputError.
    """
    with Bag(path) as bag:
        images = images or only_topic(bag, IMAGE_TYPES, "--images")
        actions = actions or only_topic(bag, ACTION_TYPES, "--actions")
    return read_bag(path, BagSource(images, actions, float(info.fps), (info.height, info.width), horizon))


def open_clips(path: Path, info: WorldInfo) -> Sequence[Episode]:
    """The held-back episodes of a set of clips. Raises InputError for other sets, and for one of another shape."""
    if not is_clip_set(path):
        raise InputError("--against", path, "give a bag, or a set of clips made by `lingbot dataset from-bag`")
    plan = ClipSet(path).plan
    has, takes = (plan.height, plan.width, plan.fps, plan.dim), (info.height, info.width, info.fps, info.control.dim)
    if has != takes:
        fix = "give a set made with its size, rate and components"
        raise InputError("--against", f"{plan.height}x{plan.width} at {plan.fps:g} fps, action of {plan.dim}", fix)
    return list(read_clips(path))
