"""Recorded images with the actions between them, whatever they were recorded in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingbot_ros.datasets.bag.from_bag import BagTopics, find_stretches
from lingbot_ros.datasets.bag.images import IMAGE_TYPES, Images
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.resample import Timing
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import Actions
from lingbot_ros.evaluate.rollouts.stepper import Frames

_LONGEST_STEPS = 10_000
_IMAGE_GAP_PERIODS = 1.5


@dataclass(frozen=True)
class Episode:
    """images uint8 [T + 1, h, w, 3] RGB; actions float64 [T, dim], action k between the images k and k + 1."""

    name: str
    images: Frames
    actions: Actions

    @property
    def steps(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class BagSource:
    """What of a bag is compared. rate: frames per second of the model. size: height and width of its frames, pixels."""

    images: str
    actions: str
    rate: float
    size: tuple[int, int]
    shortest: int


def read_bag(path: Path, source: BagSource) -> list[Episode]:
    """The stretches of a bag without a gap, at the model's rate and size. Raises InputError that says what is wrong."""
    timing = Timing(source.rate, _IMAGE_GAP_PERIODS / source.rate)
    topics = BagTopics(source.images, source.actions)
    options = PlanOptions(size=source.size, longest=_LONGEST_STEPS, shortest=source.shortest)
    with Bag(path) as bag:
        found = find_stretches(bag, topics, timing, options)
        numbers = (int(number) for segment in found.segments for number in segment.images)
        images = Images(bag, source.images, found.image_types, source.size, numbers)
        return [
            Episode(
                f"{path.name}, stretch {index}",
                np.stack([images.take(int(number)) for number in segment.images]),
                found.actions[segment.actions].astype(np.float64),
            )
            for index, segment in enumerate(found.segments)
        ]


def bag_images(path: Path, topic: str, size: tuple[int, int]) -> Frames:
    """All images of a bag's topic, by default of its only image topic, in order and resized: uint8 [T, h, w, 3]."""
    with Bag(path) as bag:
        chosen = topic or only_topic(bag, IMAGE_TYPES, "topic")
        kinds = bag.types_of(chosen, "topic", IMAGE_TYPES)
        count = sum(1 for _ in bag.messages(chosen, kinds))
        if not count:
            raise InputError("topic", chosen, "it has no image; give a topic with a recording on it")
        images = Images(bag, chosen, kinds, size, range(count))
        return np.stack([images.take(number) for number in range(count)])


def only_topic(bag: Bag, kinds: Sequence[str], option: str) -> str:
    """The only topic of a bag with one of `kinds`. Raises InputError where there are several or none."""
    fitting = [name for name, found in bag.topics().items() if set(found) & set(kinds)]
    if len(fitting) != 1:
        raise InputError(option, "nothing", f"name one of the bag's topics: {', '.join(fitting) or 'none fits'}")
    return fitting[0]


def read_clips(folder: Path) -> Iterator[Episode]:
    """The episodes of a set of clips that are held back from training."""
    clips = ClipSet(folder)
    for episode in clips.plan.validation:
        yield Episode(f"episode {episode}", np.asarray(clips.frames(episode)), clips.actions[episode].astype(float))
