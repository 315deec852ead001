"""A whole trial of a Push-T world: held-out windows, the simulator under wrong actions, the judge, the report."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.judge import WrongFuture, judge
from lingbot_ros.evaluate.model_report import Judged, ModelReport, make_report
from lingbot_ros.evaluate.open_loop import imagine
from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.tee import ARENA_SIZE
from lingbot_ros.evaluate.wrong_actions import KINDS, wrong_actions
from lingbot_ros.simulators.pusht import PushTSimulator, PushTState
from lingbot_ros.simulators.pusht_replay import replay
from lingbot_ros.training.pusht_data.held_out import held_out_windows, stack_windows
from lingbot_ros.world import World, WorldInfo

_WRONG_HORIZON = 16


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
    kinds: tuple[str, ...] = KINDS,
    quiet: bool = False,
) -> Trial:
    """Try `world` on `episodes` held-out windows. `kinds` of wrong actions are tried too; `quiet` shows no progress.

    Raises InputError when the world is none of Push-T or the sizes do not fit it.
    """
    _require_pusht(world.info)
    chosen = held_out_windows(episodes, seed, context, horizon)
    bar = tqdm(chosen, total=episodes, desc="simulating", unit="window", disable=quiet)
    windows = stack_windows(list(bar), context, horizon)
    short = min(horizon, _WRONG_HORIZON)
    with tqdm(total=episodes * (horizon + len(kinds) * short), desc="imagining", unit="frame", disable=quiet) as bar:
        imagined, chunk_s = _imagine_all(world, windows, windows.future_actions, bar)
        wrong = {}
        for kind in kinds:
            actions = wrong_actions(windows, kind)[:, :short]
            wrong[kind] = WrongFuture(_imagine_all(world, windows, actions, bar)[0], _simulate(windows, actions))
    judged = judge(windows, imagined, wrong, chunk_s / world.info.frames_per_chunk)
    about = {"count": episodes, "seed": seed, "context": context, "horizon": horizon, "seeds": windows.seeds}
    report = make_report(judged, _describe(world), {**about, "policies": windows.policies})
    return Trial(report, judged, windows, imagined)


def _require_pusht(info: WorldInfo) -> None:
    control = info.control
    if control.kind != "action" or control.high != (ARENA_SIZE, ARENA_SIZE) or (info.height, info.width) != (96, 96):
        what = f"{info.name}, {control.kind} of {control.dim}, {info.height}x{info.width}"
        raise InputError("model", what, "give one of Push-T: action x, y in 0..512, pictures of 96x96")


def _imagine_all(
    world: World, windows: PushTWindows, actions: NDArray[np.float32], bar: "tqdm[Any]"
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The future uint8 [N, H, 96, 96, 3] of every window under `actions` [N, H, 2], and the seconds of every chunk."""
    results = []
    for n in range(len(windows)):
        results.append(imagine(world, windows.past[n], windows.past_actions[n], actions[n], seed=n))
        bar.update(actions.shape[1])
    return np.stack([result.frames for result in results]), np.concatenate([result.chunk_s for result in results])


def _simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where the simulator's pusher goes under `actions` [N, F, 2] from the end of every context: [N, F, 2]."""
    simulator, last = PushTSimulator(), windows.context - 1
    paths = []
    for n in range(len(windows)):
        start = PushTState(windows.pusher[n, last], windows.pusher_velocity[n, last], windows.block[n, last])
        paths.append([state.pusher for state in replay(simulator, start, actions[n])])
    return np.array(paths)


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
