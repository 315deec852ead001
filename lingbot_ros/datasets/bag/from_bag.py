"""A set of clips from an image topic and an action topic of a bag."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.action_types import ACTION_TYPES, ActionColumn, rename
from lingbot_ros.datasets.bag.images import IMAGE_TYPES, Images
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.resample import Segment, Timing, resample, trim
from lingbot_ros.datasets.bag.stamps import StampColumn, choose_stamps
from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.plan import PlanOptions, choose_components, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError

_RATE_TOLERANCE = 1.05


@dataclass(frozen=True)
class BagTopics:
    """What of a bag is used. stamps: header, received or auto, see `stamps.choose_stamps`.

    joint_field: what of a JointState. names: of the action's components, instead of those in the messages.
    """

    images: str
    actions: str
    stamps: str = "auto"
    joint_field: str = "position"
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class BagClips:
    """What a bag will become. actions float32 [N, dim] in order of stamp; segments index messages in the bag.

    story: lines for a person that say what was found and what was left out.
    """

    plan: ClipPlan
    segments: list[Segment]
    actions: NDArray[np.float32]
    image_type: str
    story: list[str]


@dataclass(frozen=True)
class Stretches:
    """The parts of a bag without a gap. actions float32 [N, dim] and segments index messages in the bag.

    names: of the components, after renaming. story: a line that says what was found.
    """

    segments: list[Segment]
    actions: NDArray[np.float32]
    image_type: str
    names: tuple[str, ...]
    source: dict[str, Any]
    story: list[str]


def find_stretches(bag: Bag, topics: BagTopics, timing: Timing, options: PlanOptions) -> Stretches:
    """Read stamps and actions and match them. Raises InputError that says what does not fit."""
    options.check()
    image_type = bag.type_of(topics.images, "--images", IMAGE_TYPES)
    column = ActionColumn(topics.actions, bag.type_of(topics.actions, "--actions", ACTION_TYPES), topics.joint_field)
    pictures, acts = StampColumn(topics.images), StampColumn(topics.actions)
    for received_ns, message in bag.messages(topics.images):
        pictures.add(received_ns, message)
    begins = StampColumn(topics.actions)
    for received_ns, message in bag.messages(topics.actions):
        (acts if column.add(message) else begins).add(received_ns, message)
    if not len(acts) and len(begins):
        raise InputError(topics.actions, f"{len(begins)} messages without values", "give a topic with actions on it")
    kind = choose_stamps(topics.stamps, pictures, acts, begins)
    begin_ns = np.array(sorted(pictures.begin_of(n, begins, kind) for n in range(len(begins))), np.int64)
    (image_ns, image_order), (action_ns, action_order) = pictures.ordered(kind), acts.ordered(kind)
    measured = _check_rate(image_ns, timing)
    segments, dropped = trim(resample(image_ns, action_ns, timing, begin_ns), options.longest, options.shortest)
    if not segments:
        raise _nothing_left(image_ns, action_ns, kind, options)
    names = rename(column.names, topics.names)
    source = {
        "type": "bag",
        "bag": bag.path.name,
        "images": topics.images,
        "actions": topics.actions,
        "stamps": kind,
        "joint_field": topics.joint_field,
        "messages": [len(image_ns), len(action_ns)],
        "first_ns": int(image_ns[0]),
        "timing": asdict(timing),
    }
    repeated = sum(int((np.diff(segment.images) == 0).sum()) for segment in segments)
    steps = sum(segment.steps for segment in segments)
    story = [
        f"{topics.images}: {len(image_ns)} images, {measured:.1f} per second; {topics.actions}: {len(action_ns)} "
        f"actions of {len(names)} components ({', '.join(names)}); by the stamps of {_STAMPS[kind]}",
        f"{len(segments)} episodes, {steps} steps at {timing.rate:g} frames per second; left out: {dropped} "
        f"parts shorter than {options.shortest} steps; frames that show the same image as the one before: {repeated}",
    ]
    if len(begins):
        story.append(f"{topics.actions}: {len(begins)} without values; an episode begins at each")
    in_bag = [Segment(image_order[segment.images], segment.actions) for segment in segments]
    return Stretches(in_bag, column.array()[action_order], image_type, names, source, story)


def survey(bag: Bag, topics: BagTopics, timing: Timing, options: PlanOptions) -> BagClips:
    """Plan the set. Raises InputError that says what does not fit."""
    found = find_stretches(bag, topics, timing, options)
    chosen = choose_components(found.names, options.components)
    steps = [segment.steps for segment in found.segments]
    plan = make_plan(found.source, timing.rate, [found.names[n] for n in chosen], steps, options)
    return BagClips(plan, found.segments, found.actions[:, chosen], found.image_type, found.story)


def write_missing(bag: Bag, clips: BagClips, topics: BagTopics, writer: ClipSetWriter) -> Iterator[int]:
    """Write the episodes that are not there yet; yields the steps of each once it is."""
    missing = writer.missing()
    wanted = (int(number) for episode in missing for number in clips.segments[episode].images)
    pictures = Images(bag, topics.images, clips.image_type, (clips.plan.height, clips.plan.width), wanted)
    for episode in missing:
        segment = clips.segments[episode]
        frames = (pictures.take(int(number)) for number in segment.images)
        writer.write(episode, frames, clips.actions[segment.actions])
        yield segment.steps


_STAMPS = {"header": "the messages' headers", "received": "receipt"}


def _check_rate(image_ns: NDArray[np.int64], timing: Timing) -> float:
    """Images per second, by their median distance."""
    if len(image_ns) < 2:
        raise InputError("--images", f"{len(image_ns)} images", "give a topic with a recording on it")
    measured = 1e9 / max(1.0, float(np.median(np.diff(image_ns))))
    if timing.rate > _RATE_TOLERANCE * measured:
        raise InputError("--rate", timing.rate, f"images come at {measured:.2f} per second: give that or less")
    return measured


def _nothing_left(
    image_ns: NDArray[np.int64], action_ns: NDArray[np.int64], kind: str, options: PlanOptions
) -> InputError:
    if not len(action_ns):
        return InputError("--actions", "no message", "give a topic with actions on it")
    start = min(image_ns[0], action_ns[0])
    spans = [f"{(ns[0] - start) / 1e9:.2f} to {(ns[-1] - start) / 1e9:.2f} s" for ns in (image_ns, action_ns)]
    what = f"images from {spans[0]}, actions from {spans[1]}, by the stamps of {_STAMPS[kind]}"
    if image_ns[-1] < action_ns[0] or action_ns[-1] < image_ns[0]:
        return InputError("bag", what, "they do not overlap in time; try --stamps received, or --stamps header")
    fix = f"no part of {options.shortest} steps is without a gap; try a larger --image-gap or --action-gap"
    return InputError("bag", what, f"{fix}, or a smaller --shortest")
