"""From stamps to episodes: which image is frame k, and which action was in force then. Pure arithmetic on stamps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.plan import cut
from lingbot_ros.errors import InputError

Stamps = NDArray[np.int64]
"""Nanoseconds, ascending."""

_RATE_TOLERANCE = 1.05
_MOST_HZ = 1000
"""No camera is faster; what seems to be has stamps that are no times."""


@dataclass(frozen=True)
class Timing:
    """How a recording becomes frames at a constant rate. Seconds, but for `rate`, frames per second.

    image_gap: where two images are farther apart, an episode ends. action_gap: an action counts for so long; without
    one an episode ends. action_offset: added to an image's stamp when its action is looked for, for actions that are
    stamped with when they were done rather than with what was seen.
    """

    rate: float
    image_gap: float
    action_gap: float = 1.0
    action_offset: float = 0.0


@dataclass(frozen=True)
class Segment:
    """One episode: indices into the images int64 [T+1] and into the actions int64 [T]."""

    images: NDArray[np.int64]
    actions: NDArray[np.int64]

    @property
    def steps(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Take:
    """What was recorded on one clock that only goes forward.

    runs: int64 [images]; an episode ends where it changes, because an image between two is missing. known: bool
    [actions]; false for an action that cannot be used, after which no action is in force. begins: no image before one
    of them, nor an action before it, belongs to what comes from it on.
    """

    images: Stamps
    actions: Stamps
    runs: NDArray[np.int64]
    known: NDArray[np.bool_]
    begins: Stamps


def resample(take: Take, timing: Timing) -> list[Segment]:
    """The longest stretches of images and actions without a gap.

    From the first image of a stretch on there is a frame every 1 / rate seconds: the image stamped nearest to it
    (the earlier of two as near). The action of a frame is the newest at or before that image's stamp plus the offset;
    it leads from this frame to the next. A stretch's last frame needs none.
    """
    images, actions = take.images, take.actions
    if not len(images) or not len(actions):
        return []
    segments = []
    image_parts, action_parts = (
        np.split(np.arange(len(s)), np.searchsorted(s, take.begins)) for s in (images, actions)
    )
    for part, acts in zip(image_parts, action_parts, strict=True):
        if not len(part) or not len(acts):
            continue
        ends = (np.diff(images[part]) > round(timing.image_gap * 1e9)) | (np.diff(take.runs[part]) != 0)
        for stretch in np.split(part, np.flatnonzero(ends) + 1):
            chosen = on_grid(images[stretch], 1e9 / timing.rate) + stretch[0]
            found = _with_actions(chosen, images, actions[acts], take.known[acts], timing)
            segments += [Segment(segment.images, segment.actions + acts[0]) for segment in found]
    return segments


def trim(segments: list[Segment], longest: int, shortest: int) -> tuple[list[Segment], int]:
    """`segments` in parts of at most `longest` steps, and how many parts of less than `shortest` were left out."""
    parts = [
        Segment(segment.images[start : start + steps + 1], segment.actions[start : start + steps])
        for segment in segments
        for start, steps in cut(segment.steps, longest)
    ]
    kept = [part for part in parts if part.steps >= shortest]
    return kept, len(parts) - len(kept)


def on_grid(stamps: Stamps, period_ns: float) -> NDArray[np.int64]:
    """For every frame of a stretch, one each `period_ns`, the number of its image in `stamps`."""
    if len(stamps) == 1:
        return np.zeros(1, np.int64)
    # The last frame may lie half a period beyond the last image.
    count = int((stamps[-1] - stamps[0]) / period_ns + 0.5) + 1
    grid = stamps[0] + np.round(np.arange(count) * period_ns).astype(np.int64)
    after = np.clip(np.searchsorted(stamps, grid), 1, len(stamps) - 1)
    earlier = grid - stamps[after - 1] <= stamps[after] - grid
    return np.asarray(after - earlier, np.int64)


def _with_actions(
    chosen: NDArray[np.int64], images: Stamps, actions: Stamps, known: NDArray[np.bool_], timing: Timing
) -> list[Segment]:
    """The runs of frames `chosen` that have an action each, with the frame after."""
    wanted = images[chosen] + round(timing.action_offset * 1e9)
    newest = np.searchsorted(actions, wanted, side="right") - 1
    before = np.maximum(newest, 0)
    fresh = (newest >= 0) & known[before] & (wanted - actions[before] <= round(timing.action_gap * 1e9))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fresh[:-1], [False])).astype(np.int8)))
    return [
        Segment(chosen[start : end + 1], newest[start:end]) for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]


def image_rate(takes_ns: list[Stamps], wanted: float) -> float:
    """Images per second, by their median distance within a take. Raises InputError where `wanted` is more."""
    distances = np.concatenate([np.diff(stamps) for stamps in takes_ns])
    if not len(distances):
        raise InputError("--images", f"{sum(map(len, takes_ns))} images", "give a topic with a recording on it")
    measured = 1e9 / max(1.0, float(np.median(distances)))
    if measured > _MOST_HZ:
        what = f"images at {measured:.3g} per second"
        raise InputError("--images", what, "their stamps are no times: try --stamps received, or --stamps header")
    if wanted > _RATE_TOLERANCE * measured:
        raise InputError("--rate", wanted, f"images come at {measured:.2f} per second: give that or less")
    return measured
