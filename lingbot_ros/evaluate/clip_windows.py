"""Windows of the held-back episodes of a set of clips."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.datasets.limits import clip
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.windows import Windows


def choose_windows(clips: ClipSet, count: int, seed: int, length: int) -> list[tuple[int, int]]:
    """At most `count` windows (episode, first frame) of held-back episodes, end to end in each, in order.

    Raises InputError for fewer than two: wrong actions are those of another window.
    """
    found = [
        (episode, start)
        for episode in clips.plan.validation
        for start in range(0, clips.plan.steps[episode] + 2 - length, length)
    ]
    if len(found) < 2:
        longest = max(clips.plan.steps[episode] + 1 for episode in clips.plan.validation)
        what = f"{length} frames with the context; {len(found)} such windows in {len(clips.plan.validation)} episodes"
        fix = f"2 are needed and the longest held-back episode has {longest}: give a smaller one, or more data"
        raise InputError("--horizon", what, fix)
    drawn = np.random.default_rng(seed).permutation(len(found))[:count] if count >= 2 else np.arange(2)
    return [found[n] for n in sorted(drawn)]


def cut_windows(
    clips: ClipSet,
    chosen: Sequence[tuple[int, int]],
    context: int,
    length: int,
    low: tuple[float, ...],
    high: tuple[float, ...],
) -> Windows:
    """The windows (episode, first frame) of `length` frames, their actions clipped to what a session accepts."""
    frames = np.stack([clips.frames(episode)[start : start + length] for episode, start in chosen])
    # In float64: rounding could put a value beyond the limit that it was clipped to.
    actions: NDArray[Any] = np.stack(
        [clip(clips.actions[episode][start : start + length - 1], low, high) for episode, start in chosen]
    )
    return Windows(frames, actions, context)
