"""A set of clips from an image topic and an action topic of a bag."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.bag.action_types import ACTION_TYPES, EMPTY, IGNORED, ActionColumn, rename
from lingbot_ros.datasets.bag.images import IMAGE_TYPES, Images, image_fault
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.parts import Part, episode_begins
from lingbot_ros.datasets.bag.resample import Segment, Take, Timing, image_rate, resample, trim
from lingbot_ros.datasets.bag.stamps import StampColumn, choose_stamps, takes
from lingbot_ros.datasets.layout import ClipPlan
from lingbot_ros.datasets.left_out import BAD_SHARE, LeftOut, check_share
from lingbot_ros.datasets.plan import PlanOptions, choose_components, make_plan
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError


@dataclass(frozen=True)
class BagTopics:
    """What of a bag is used. stamps: header, received or auto, see `stamps.choose_stamps`.

    joint_field: what of a JointState. names: of the action's components, instead of those in the messages. bad_share:
    of a topic's messages so many may be unusable.
    """

    images: str
    actions: str
    stamps: str = "auto"
    joint_field: str = "position"
    names: tuple[str, ...] = ()
    bad_share: float = BAD_SHARE


@dataclass(frozen=True)
class BagClips:
    """What a bag will become. actions float32 [N, dim] of all messages; segments index messages of the topics.

    story: lines for a person that say what was found and what was left out.
    """

    plan: ClipPlan
    segments: list[Segment]
    actions: NDArray[np.float32]
    image_types: tuple[str, ...]
    story: list[str]


@dataclass(frozen=True)
class Stretches:
    """The parts of a bag without a gap. actions float32 [N, dim] of all messages; segments index messages.

    names: of the components, after renaming. story: lines that say what was found and left out.
    """

    segments: list[Segment]
    actions: NDArray[np.float32]
    image_types: tuple[str, ...]
    names: tuple[str, ...]
    source: dict[str, Any]
    story: list[str]


def find_stretches(bag: Bag, topics: BagTopics, timing: Timing, options: PlanOptions) -> Stretches:
    """Read stamps and actions, look at every image, and match them. Raises InputError that says what does not fit."""
    options.check()
    check_share(topics.bad_share)
    image_types = bag.types_of(topics.images, "--images", IMAGE_TYPES)
    action_types = bag.types_of(topics.actions, "--actions", ACTION_TYPES)
    left_out = LeftOut(topics.images, "images"), LeftOut(topics.actions, "actions")

    pictures, good = StampColumn(topics.images), []
    for number, (received_ns, message) in enumerate(bag.messages(topics.images, image_types)):
        fault = image_fault(message, f"{topics.images}, message {number}")
        pictures.add(received_ns, message)
        good.append(fault is None)
        if fault is not None:
            left_out[0].add(fault)

    components = () if topics.names else options.components
    column = ActionColumn(topics.actions, action_types, topics.joint_field, components)
    acts = StampColumn(topics.actions)
    for received_ns, message in bag.messages(topics.actions, action_types):
        names = column.add(message)
        acts.add(received_ns, message, names if column.by_joint else ())
    actions = column.finish(left_out[1])
    for left, total in zip(left_out, (len(pictures), len(acts)), strict=True):
        left.check(total, topics.bad_share)
    begins = int((actions.states == EMPTY).sum())
    if begins and begins == len(acts):
        raise InputError(topics.actions, f"{begins} messages without values", "give a topic with actions on it")

    kind = choose_stamps(topics.stamps, pictures, acts)
    take_of = takes((pictures, acts))
    image_ns, action_ns = pictures.stamps(kind), acts.stamps(kind)
    values, known = actions.filled(action_ns, take_of[1], round(timing.action_gap * 1e9))
    usable = np.array(good, bool)
    parts = [
        Part(
            np.flatnonzero((take_of[0] == take) & usable),
            np.flatnonzero((take_of[1] == take) & (actions.states < EMPTY)),
            episode_begins(pictures, acts, np.flatnonzero((take_of[1] == take) & (actions.states == EMPTY)), kind),
        ).sorted(image_ns, action_ns)
        for take in range(1 + max((int(n.max()) for n in take_of if len(n)), default=0))
    ]
    measured = image_rate([image_ns[part.images] for part in parts], timing.rate)
    runs = np.cumsum(~usable)
    found = []
    for part in parts:
        take = Take(image_ns[part.images], action_ns[part.actions], runs[part.images], known[part.actions], part.begins)
        found += [Segment(part.images[s.images], part.actions[s.actions]) for s in resample(take, timing)]
    segments, dropped = trim(found, options.longest, options.shortest)
    if not segments:
        raise _nothing_left(image_ns[usable], action_ns[actions.states < EMPTY], kind, options)
    names = rename(actions.names, topics.names)
    source = {
        "type": "bag",
        "bag": bag.path.name,
        "images": topics.images,
        "actions": topics.actions,
        "stamps": kind,
        "joint_field": topics.joint_field,
        "messages": [len(pictures), len(acts)],
        "first_ns": int(image_ns[0]),
        "timing": asdict(timing),
    }
    repeated = sum(int((np.diff(segment.images) == 0).sum()) for segment in segments)
    steps = sum(segment.steps for segment in segments)
    story = [
        f"{topics.images}: {int(usable.sum())} images, {measured:.1f} per second; {topics.actions}: "
        f"{int(known.sum())} actions of {len(names)} components ({', '.join(names)}); by the stamps of {_STAMPS[kind]}",
        f"{len(segments)} episodes, {steps} steps at {timing.rate:g} frames per second; left out: {dropped} "
        f"parts shorter than {options.shortest} steps; frames that show the same image as the one before: {repeated}",
        *(line for left in left_out for line in left.story()),
    ]
    if begins:
        story.append(f"{topics.actions}: {begins} without values; an episode begins at each")
    if others := int((actions.states == IGNORED).sum()):
        story.append(f"{topics.actions}: {others} that name none of these joints were ignored")
    if len(parts) > 1:
        story.append(f"the clock was set back {len(parts) - 1} times; an episode ends at each")
    return Stretches(segments, values, image_types, names, source, story)


def survey(bag: Bag, topics: BagTopics, timing: Timing, options: PlanOptions) -> BagClips:
    """Plan the set. Raises InputError that says what does not fit."""
    found = find_stretches(bag, topics, timing, options)
    chosen = choose_components(found.names, options.components)
    steps = [segment.steps for segment in found.segments]
    plan = make_plan(found.source, timing.rate, [found.names[n] for n in chosen], steps, options)
    return BagClips(plan, found.segments, found.actions[:, chosen], found.image_types, found.story)


def write_missing(bag: Bag, clips: BagClips, topics: BagTopics, writer: ClipSetWriter) -> Iterator[int]:
    """Write the episodes that are not there yet; yields the steps of each once it is."""
    missing = writer.missing()
    wanted = (int(number) for episode in missing for number in clips.segments[episode].images)
    pictures = Images(bag, topics.images, clips.image_types, (clips.plan.height, clips.plan.width), wanted)
    for episode in missing:
        segment = clips.segments[episode]
        frames = (pictures.take(int(number)) for number in segment.images)
        writer.write(episode, frames, clips.actions[segment.actions])
        yield segment.steps


_STAMPS = {"header": "the messages' headers", "received": "receipt"}


def _nothing_left(
    image_ns: NDArray[np.int64], action_ns: NDArray[np.int64], kind: str, options: PlanOptions
) -> InputError:
    if not len(action_ns):
        return InputError("--actions", "no message", "give a topic with actions on it")
    spans_ns = [(int(ns.min()), int(ns.max())) for ns in (image_ns, action_ns)]
    start = min(first for first, _ in spans_ns)
    spans = [f"{(first - start) / 1e9:.2f} to {(last - start) / 1e9:.2f} s" for first, last in spans_ns]
    what = f"images from {spans[0]}, actions from {spans[1]}, by the stamps of {_STAMPS[kind]}"
    if spans_ns[0][1] < spans_ns[1][0] or spans_ns[1][1] < spans_ns[0][0]:
        return InputError("bag", what, "they do not overlap in time; try --stamps received, or --stamps header")
    fix = f"no part of {options.shortest} steps is without a gap; try a larger --image-gap or --action-gap"
    return InputError("bag", what, f"{fix}, or a smaller --shortest")
