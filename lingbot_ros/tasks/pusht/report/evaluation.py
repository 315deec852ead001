"""A whole trial of a Push-T world: held-out windows, the simulator under wrong actions, the judge, the report."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.evaluate.speed import THREADS, Speed, time_frames
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, random_windows, stack_windows
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.report.comparison import Comparison, compare
from lingbot_ros.tasks.pusht.report.measurements import judge
from lingbot_ros.tasks.pusht.report.report import Judged, ModelReport, make_report
from lingbot_ros.tasks.pusht.report.wrong_actions import KINDS, WrongFuture, wrong_actions
from lingbot_ros.tasks.pusht.simulator.replay import replay
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import World, WorldInfo

WRONG_WINDOWS = 20
"""So many windows, the first ones, are tried under wrong actions too."""


@dataclass(frozen=True)
class Trial:
    """The report, and what it was made from; `imagined` uint8 [N, H, 96, 96, 3] under the true actions."""

    report: ModelReport
    judged: Judged
    windows: PushTWindows
    imagined: NDArray[np.uint8]


def run_trial(
    world: World,
    episodes: int,
    seed: int,
    context: int,
    horizon: int,
    *,
    other: World | None = None,
    load: Callable[[int], World] | None = None,
    kinds: tuple[str, ...] = KINDS,
    contact_only: bool = False,
    quiet: bool = False,
) -> Trial:
    """Try `world` on one window of each of `episodes` held-out episodes, whatever happens in them.

    `other` is the same model in another precision, to be compared on the same windows; `load` gives the same world
    with a number of threads, for measuring its speed with one and two. `kinds` of wrong actions are tried too.
    `contact_only` takes windows with an early push only; `quiet` shows no progress.
    Raises InputError when the world is none of Push-T or the sizes do not fit it.
    """
    _require_pusht(world.info)
    drawn = (held_out_windows if contact_only else random_windows)(episodes, seed, context, horizon)
    bar = tqdm(drawn, total=episodes, desc="simulating", unit="window", disable=quiet)
    windows = stack_windows(list(bar), context, horizon)
    some = windows.first(WRONG_WINDOWS)
    total = horizon * (episodes * (2 if other else 1) + len(kinds) * len(some))
    with tqdm(total=total, desc="imagining", unit="frame", disable=quiet) as bar:
        imagined, frame_s = _imagine_all(world, windows, windows.future_actions, bar)
        wrong = {}
        for kind in kinds:
            actions = wrong_actions(some, kind)
            wrong[kind] = WrongFuture(_imagine_all(world, some, actions, bar)[0], *_simulate(some, actions))
        comparison = _compare(world, other, windows, imagined, bar) if other else None
    speed = _speed(world, load, windows) if load else ()
    judged = judge(windows, imagined, wrong, frame_s)
    about = {"count": episodes, "seed": seed, "context": context, "horizon": horizon, "seeds": windows.seeds}
    report = make_report(judged, _describe(world), {**about, "policies": windows.policies}, speed, comparison)
    return Trial(report, judged, windows, imagined)


def _compare(
    world: World, other: World, windows: PushTWindows, imagined: NDArray[np.uint8], bar: "tqdm[Any]"
) -> Comparison:
    theirs, frame_s = _imagine_all(other, windows, windows.future_actions, bar)
    names = world.info.engine.precision, other.info.engine.precision
    return compare(windows, (names[0], imagined), (names[1], theirs), frame_s)


def _speed(world: World, load: Callable[[int], World], windows: PushTWindows) -> tuple[Speed, ...]:
    """On a CPU with one and two threads, and with the trial's own number last, so that this is again the process's."""
    own = world.info.engine.threads
    counts = {*THREADS, own} if world.info.engine.device == "cpu" else {own}
    found = time_frames(load, windows, sorted(counts, key=lambda count: count == own))
    return tuple(sorted(found, key=lambda speed: speed.threads))


def _require_pusht(info: WorldInfo) -> None:
    control = info.control
    if control.kind != "action" or control.high != (ARENA_SIZE, ARENA_SIZE) or (info.height, info.width) != (96, 96):
        what = f"{info.name}, {control.kind} of {control.dim}, {info.height}x{info.width}"
        raise InputError("model", what, "give one of Push-T: action x, y in 0..512, pictures of 96x96")


def _imagine_all(
    world: World, windows: PushTWindows, actions: NDArray[np.float32], bar: "tqdm[Any]"
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The future uint8 [N, H, 96, 96, 3] of every window under `actions` [N, H, 2], and the seconds per frame."""
    results = []
    for n in range(len(windows)):
        results.append(imagine(world, windows.past[n], windows.past_actions[n], actions[n], seed=n))
        bar.update(actions.shape[1])
    chunk_s = np.concatenate([result.chunk_s for result in results])
    return np.stack([result.frames for result in results]), chunk_s / world.info.frames_per_chunk


def _simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """What the simulator shows under `actions` [N, F, 2] from the end of every context.

    Pictures uint8 [N, F, 96, 96, 3] and the pusher [N, F, 2].
    """
    simulator, last = PushTSimulator(), windows.context - 1
    pictures = np.empty((*actions.shape[:2], *windows.frames.shape[2:]), np.uint8)
    pusher = np.empty(actions.shape)
    for n in range(len(windows)):
        start = PushTState(windows.pusher[n, last], windows.pusher_velocity[n, last], windows.block[n, last])
        for k, state in enumerate(replay(simulator, start, actions[n])):
            pusher[n, k], pictures[n, k] = state.pusher, simulator.render()
    return pictures, pusher


def _describe(world: World) -> dict[str, object]:
    weights = world.card.weights
    engine = asdict(world.info.engine)
    return {
        "name": world.info.name,
        "weights_sha256": weights.sha256,
        "weights_bytes": weights.bytes,
        "parameters": world.info.parameters,
        **engine,
    }
