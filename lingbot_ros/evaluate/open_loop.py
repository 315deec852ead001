"""Imagining a future open loop: real context, then nothing but actions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.windows import Windows

if TYPE_CHECKING:
    from tqdm import tqdm

    from lingbot_ros.world import World


@dataclass(frozen=True)
class Imagined:
    """What a model made of one window: frames uint8 [H, h, w, 3]; chunk_s [chunks] = seconds each chunk took."""

    frames: NDArray[np.uint8]
    chunk_s: NDArray[np.float64]


def imagine(
    world: "World", past: NDArray[np.uint8], past_actions: NDArray[Any], actions: NDArray[Any], seed: int
) -> Imagined:
    """Start at past[0], observe the rest of `past` [C, h, w, 3] with its actions [C-1, dim], step `actions` [H, dim].

    Raises InputError when C - 1 or H is not a whole number of the model's chunks.
    """
    session = world.start(past[0], seed=seed)
    try:
        done = 1
        while done < len(past):
            count = session.frames_in_next_chunk
            if done + count > len(past):
                raise InputError("context", len(past), f"give 1 more than a multiple of the model's chunk of {count}")
            session.observe(past[done : done + count], past_actions[done - 1 : done - 1 + count])
            done += count
        frames, seconds, done = [], [], 0
        while done < len(actions):
            count = session.frames_in_next_chunk
            if done + count > len(actions):
                raise InputError("horizon", len(actions), f"give a multiple of the model's chunk of {count} frames")
            frames.append(session.step(actions[done : done + count]))
            seconds.append(session.timing.total_s)
            done += count
    finally:
        session.close()
    return Imagined(np.concatenate(frames), np.array(seconds))


def imagine_windows(
    world: "World", windows: Windows, actions: NDArray[Any], bar: "tqdm[Any]"
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The future uint8 [N, H, h, w, 3] of every window under `actions` [N, H, dim], and the seconds per frame.

    Window n is imagined with seed n. `bar` counts frames.
    """
    results = []
    for n in range(len(windows)):
        results.append(imagine(world, windows.past[n], windows.past_actions[n], actions[n], seed=n))
        bar.update(actions.shape[1])
    chunk_s = np.concatenate([result.chunk_s for result in results])
    return np.stack([result.frames for result in results]), chunk_s / world.info.frames_per_chunk
