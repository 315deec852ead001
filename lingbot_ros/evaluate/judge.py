"""Puts a Push-T world through its windows: true actions, wrong actions, and the measures of both."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.model_report import Judged, report_frames
from lingbot_ros.evaluate.open_loop import Imagined, imagine
from lingbot_ros.evaluate.pusht_measures import measure, pusher_errors
from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.tee import ARENA_SIZE, centroid_at
from lingbot_ros.evaluate.wrong_actions import WrongActions

if TYPE_CHECKING:
    from lingbot_ros.world import World, WorldInfo

WRONG_HORIZON = 16
Progress = Callable[[int], object]


def require_pusht(info: "WorldInfo") -> None:
    """Raises InputError unless a world takes and gives what Push-T does."""
    control = info.control
    if control.kind != "action" or control.high != (ARENA_SIZE, ARENA_SIZE) or (info.height, info.width) != (96, 96):
        what = f"{info.name}, {control.kind} of {control.dim}, {info.height}x{info.width}"
        raise InputError("model", what, "give one of Push-T: action x, y in 0..512, pictures of 96x96")


def imagine_all(
    world: "World", windows: PushTWindows, actions: NDArray[np.float32], progress: Progress
) -> list[Imagined]:
    """The future of every window under `actions` [N, H, 2]; `progress` is told the frames made, window by window."""
    results = []
    for n in range(len(windows)):
        results.append(imagine(world, windows.past[n], windows.past_actions[n], actions[n], seed=n))
        progress(actions.shape[1])
    return results


def judge(
    world: "World",
    windows: PushTWindows,
    wrong: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float64]]],
    progress: Progress,
) -> tuple[Judged, NDArray[np.uint8]]:
    """Measure `world`; also returns what it imagined under the true actions, uint8 [N, H, 96, 96, 3].

    `wrong` has by name the actions [N, F, 2] that did not happen and where the simulator's pusher went under them
    [N, F, 2]. Raises InputError when the world is none of Push-T or the windows do not fit its chunks.
    """
    require_pusht(world.info)
    results = imagine_all(world, windows, windows.future_actions, progress)
    imagined = np.stack([result.frames for result in results])
    pusher, block = windows.pusher[:, windows.context :], windows.block[:, windows.context :]

    frames = report_frames(windows.horizon)
    at = np.array(frames) - 1
    real = windows.future[:, at]
    still = np.repeat(windows.past[:, -1:], len(frames), axis=1)
    begin = centroid_at(windows.block[:, windows.context - 1])
    moved_units = np.linalg.norm(centroid_at(block[:, at]) - begin[:, None], axis=-1)
    judged = Judged(
        frames=frames,
        model=measure(imagined[:, at], real, pusher[:, at], block[:, at]),
        repeat=measure(still, real, pusher[:, at], block[:, at]),
        real=measure(real, real, pusher[:, at], block[:, at]),
        moved=moved_units * windows.frames.shape[2] / ARENA_SIZE >= 1.0,
        all_pusher_px=pusher_errors(imagined, pusher),
        wrong={name: _judge_wrong(world, windows, *given, progress) for name, given in wrong.items()},
        frame_s=np.concatenate([result.chunk_s for result in results]) / world.info.frames_per_chunk,
    )
    return judged, imagined


def _judge_wrong(
    world: "World",
    windows: PushTWindows,
    actions: NDArray[np.float32],
    simulated: NDArray[np.float64],
    progress: Progress,
) -> WrongActions:
    imagined = np.stack([result.frames for result in imagine_all(world, windows, actions, progress)])
    true = windows.pusher[:, windows.context :][:, : actions.shape[1]]
    return WrongActions(from_true=pusher_errors(imagined, true), from_same=pusher_errors(imagined, simulated))
