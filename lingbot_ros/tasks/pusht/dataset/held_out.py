"""Windows for the report on a model, from episodes of the test split: any, or those with an early push."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.dataset.episode import Episode, EpisodeMaker, episode_seed
from lingbot_ros.tasks.pusht.simulator.policies import POLICY_NAMES
from lingbot_ros.tasks.pusht.windows import CONTACT_WITHIN, PushTWindows, is_pushed

_LEAD_STEPS = 24


def random_windows(count: int, base_seed: int, context: int, horizon: int) -> Iterator[tuple[Episode, int]]:
    """The first `count` test episodes, each with the first frame of a window that its seed draws, whatever happens."""
    _check_sizes(count, context, horizon)
    maker = EpisodeMaker()
    for index in range(count):
        episode = maker.make(episode_seed("test", base_seed, index), context + horizon + _LEAD_STEPS)
        yield episode, int(np.random.default_rng([episode.seed, 3]).integers(_LEAD_STEPS + 1))


def held_out_windows(count: int, base_seed: int, context: int, horizon: int) -> Iterator[tuple[Episode, int]]:
    """`count` test episodes, each with the first frame of its window; episodes without an early push are passed over.

    A push is early when the block is pushed (`pusht_windows.is_pushed`) by frame 16 after the context (or the
    horizon, if that is shorter).
    """
    _check_sizes(count, context, horizon)
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


def _check_sizes(count: int, context: int, horizon: int) -> None:
    for field, value in (("episodes", count), ("context", context), ("horizon", horizon)):
        if value < 1:
            raise InputError(field, value, "give 1 or more")


def _pushed_starts(episode: Episode, context: int, within: int) -> NDArray[np.int64]:
    starts = np.arange(_LEAD_STEPS + 1)
    before, after = episode.block[starts + context - 1], episode.block[starts + context - 1 + within]
    chosen: NDArray[np.int64] = starts[is_pushed(before, after)]
    return chosen
