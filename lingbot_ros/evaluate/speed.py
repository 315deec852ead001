"""What a frame costs here, with one thread and with two: model and decoder, without publishing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.evaluate.windows import Windows

if TYPE_CHECKING:
    from lingbot_ros.world import World

THREADS = (1, 2)
_WINDOWS = 2
_ENOUGH_S = 20.0
"""On a machine that is busy with other things two threads can be slower than one by far: no second window then."""
_WARM_UP = 8


@dataclass(frozen=True)
class Speed:
    """Milliseconds per frame over `frames` frames, with so many CPU threads."""

    threads: int
    frames: int
    p50_ms: float
    p95_ms: float


def percentiles(threads: int, frame_s: NDArray[np.float64]) -> Speed:
    """Boil down the seconds that single frames took."""
    p50, p95 = np.percentile(frame_s, (50, 95)) * 1e3
    return Speed(threads, len(frame_s), float(p50), float(p95))


def time_frames(load: "Callable[[int], World]", windows: Windows, counts: Sequence[int]) -> tuple[Speed, ...]:
    """Imagine the first windows again with the world that `load` gives for each number of threads.

    The number of threads is the process's: it stays at the last of `counts`.
    """
    found = []
    for threads in counts:
        world = load(threads)
        times, spent_s = [], 0.0
        for n in range(min(_WINDOWS, len(windows))):
            if spent_s > _ENOUGH_S:
                break
            actions = windows.future_actions[n]
            chunk_s = imagine(world, windows.past[n], windows.past_actions[n], actions, seed=n).chunk_s
            spent_s += float(chunk_s.sum())
            times.append(chunk_s[min(_WARM_UP, len(chunk_s) - 1) :] / world.info.frames_per_chunk)
        found.append(percentiles(threads, np.concatenate(times)))
    return tuple(found)


def measure_speed(world: "World", load: "Callable[[int], World]", windows: Windows) -> tuple[Speed, ...]:
    """On a CPU with one and two threads, and with the world's own number last, so that this is again the process's."""
    own = world.info.engine.threads
    counts = {*THREADS, own} if world.info.engine.device == "cpu" else {own}
    found = time_frames(load, windows, sorted(counts, key=lambda count: count == own))
    return tuple(sorted(found, key=lambda speed: speed.threads))
