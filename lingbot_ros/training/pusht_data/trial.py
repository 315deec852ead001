"""A whole trial of a Push-T world: held-out windows, the simulator under wrong actions, the judge, the report."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.evaluate.judge import WRONG_HORIZON, judge, require_pusht
from lingbot_ros.evaluate.model_report import Judged, ModelReport, make_report
from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.evaluate.wrong_actions import KINDS, wrong_actions
from lingbot_ros.simulators.pusht import PushTSimulator, PushTState
from lingbot_ros.simulators.pusht_replay import replay
from lingbot_ros.training.pusht_data.held_out import held_out_windows, stack_windows
from lingbot_ros.world import World


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
    require_pusht(world.info)
    chosen = held_out_windows(episodes, seed, context, horizon)
    bar = tqdm(chosen, total=episodes, desc="simulating", unit="window", disable=quiet)
    windows = stack_windows(list(bar), context, horizon)
    length = min(horizon, WRONG_HORIZON)
    wrong = {kind: _simulate(windows, wrong_actions(windows, kind)[:, :length]) for kind in kinds}
    with tqdm(
        total=episodes * (horizon + len(kinds) * length), desc="imagining", unit="frame", disable=quiet
    ) as progress:
        judged, imagined = judge(world, windows, wrong, progress.update)
    about = {"count": episodes, "seed": seed, "context": context, "horizon": horizon, "seeds": windows.seeds}
    report = make_report(judged, _describe(world), {**about, "policies": windows.policies})
    return Trial(report, judged, windows, imagined)


def _simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The actions and where the pusher goes under them from the end of every context, [N, F, 2] each."""
    simulator, last = PushTSimulator(), windows.context - 1
    paths = []
    for n in range(len(windows)):
        start = PushTState(windows.pusher[n, last], windows.pusher_velocity[n, last], windows.block[n, last])
        paths.append([state.pusher for state in replay(simulator, start, actions[n])])
    return actions, np.array(paths)


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
