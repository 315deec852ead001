"""Windows for the report on a model: episodes of the test split in which the block is really pushed early on."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.tee import centroid_at
from lingbot_ros.simulators.pusht_policies import POLICY_NAMES
from lingbot_ros.training.pusht_data.episode import Episode, EpisodeMaker, episode_seed

CONTACT_WITHIN = 16
"""The block moves within this many frames after the context."""

_MOVED_UNITS = 10.0
_MOVED_RADIANS = 0.1
_LEAD_STEPS = 24


def held_out_windows(count: int, base_seed: int, context: int, horizon: int) -> Iterator[tuple[Episode, int]]:
    """`count` test episodes, each with the first frame of its window; episodes without an early push are passed over.

    A push is early when the block is 10 units (2 pixels) or 0.1 rad from where the context left it by frame 16 (or the
    horizon, if that is shorter).
    """
    for field, value, least in (("episodes", count, 1), ("context", context, 1), ("horizon", horizon, 1)):
        if value < least:
            raise InputError(field, value, f"give {least} or more")
    maker = EpisodeMaker()
    index = found = 0
    while found < count:
        episode = maker.make(episode_seed("test", base_seed, index), context + horizon + _LEAD_STEPS)
        index += 1
        starts = _pushed_starts(episode, context, min(CONTACT_WITHIN, horizon))
        if len(starts):
            found += 1
            yield episode, int(np.random.default_rng([episode.seed, 2]).choice(starts))


def stack_windows(chosen: list[tuple[Episode, int]], context: int, horizon: int) -> PushTWindows:
    """Cut the windows out of their episodes."""
    length = context + horizon

    def cut(name: str, count: int) -> NDArray[np.generic]:
        return np.stack([getattr(episode, name)[start : start + count] for episode, start in chosen])

    return PushTWindows(
        context=context,
        frames=cut("frames", length).astype(np.uint8),
        actions=cut("actions", length - 1).astype(np.float32),
        pusher=cut("pusher", length).astype(np.float64),
        pusher_velocity=cut("pusher_velocity", length).astype(np.float64),
        block=cut("block", length).astype(np.float64),
        seeds=tuple(episode.seed for episode, _ in chosen),
        policies=tuple(POLICY_NAMES[episode.policy] for episode, _ in chosen),
    )


def _pushed_starts(episode: Episode, context: int, within: int) -> NDArray[np.int64]:
    starts = np.arange(_LEAD_STEPS + 1)
    before, after = episode.block[starts + context - 1], episode.block[starts + context - 1 + within]
    moved = np.linalg.norm(centroid_at(after) - centroid_at(before), axis=-1)
    chosen: NDArray[np.int64] = starts[(moved > _MOVED_UNITS) | (np.abs(after[:, 2] - before[:, 2]) > _MOVED_RADIANS)]
    return chosen
