"""The evaluation of a Push-T world: held-out windows, the simulator under wrong actions, measurements, the report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.machine import describe_model
from lingbot_ros.evaluate.open_loop import imagine_windows
from lingbot_ros.evaluate.report_files import write_json
from lingbot_ros.evaluate.speed import measure_speed
from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, random_windows, stack_windows
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE
from lingbot_ros.tasks.pusht.report.card_quality import card_entries
from lingbot_ros.tasks.pusht.report.comparison import Comparison, compare
from lingbot_ros.tasks.pusht.report.measurements import measure_windows
from lingbot_ros.tasks.pusht.report.report import Measurements, ModelReport, make_report
from lingbot_ros.tasks.pusht.report.text import report_text
from lingbot_ros.tasks.pusht.report.wrong_actions import KINDS, WrongFuture, wrong_actions
from lingbot_ros.tasks.pusht.simulator.replay import replay
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.tasks.pusht.windows import PushTWindows
from lingbot_ros.world import World, WorldInfo

WRONG_WINDOWS = 20
"""So many windows, the first ones, are tried under wrong actions too."""


@dataclass(frozen=True)
class PushTEvaluation:
    """See `evaluate.evaluation.Evaluation`. The report, and what it was made from; `imagined` under the true actions.

    imagined: uint8 [N, H, 96, 96, 3].
    """

    report: ModelReport
    measurements: Measurements
    windows: PushTWindows
    imagined: NDArray[np.uint8]

    @property
    def meets_required(self) -> bool:
        return self.report.meets_required

    @property
    def meets_minimum(self) -> bool:
        return self.report.meets_minimum

    @property
    def losses(self) -> dict[str, float]:
        compared = self.report.comparison.differences if self.report.comparison else ()
        judged = (row for row in compared if row.measure in ("psnr_db", "block_iou"))
        return {f"{row.measure}@{row.frame}": -row.difference.value for row in judged}

    def text(self) -> str:
        return report_text(self.report)

    def card_entries(self, command: str) -> dict[str, Any]:
        return card_entries(self.report, command)

    def save_json(self, path: Path) -> None:
        write_json(path, self.report.plain())

    def save(self, folder: Path) -> None:
        """Write report.json, report.txt, table.md, strips.png and curves.png."""
        from lingbot_ros.tasks.pusht.report.files import save_report  # noqa: PLC0415 - matplotlib takes a second

        save_report(folder, self.report, self.measurements, self.windows, self.imagined)


def evaluate(
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
) -> PushTEvaluation:
    """Measure `world` on one window of each of `episodes` held-out episodes, whatever happens in them.

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
        imagined, frame_s = imagine_windows(world, windows, windows.future_actions, bar)
        wrong = {}
        for kind in kinds:
            actions = wrong_actions(some, kind)
            wrong[kind] = WrongFuture(imagine_windows(world, some, actions, bar)[0], *_simulate(some, actions))
        comparison = _compare(world, other, windows, imagined, bar) if other else None
    speed = measure_speed(world, load, windows) if load else ()
    measurements = measure_windows(windows, imagined, wrong, frame_s)
    about = {"count": episodes, "seed": seed, "context": context, "horizon": horizon, "seeds": windows.seeds}
    report = make_report(
        measurements, describe_model(world), {**about, "policies": windows.policies}, speed, comparison
    )
    return PushTEvaluation(report, measurements, windows, imagined)


def _compare(
    world: World, other: World, windows: PushTWindows, imagined: NDArray[np.uint8], bar: "tqdm[Any]"
) -> Comparison:
    theirs, frame_s = imagine_windows(other, windows, windows.future_actions, bar)
    names = world.info.engine.precision, other.info.engine.precision
    return compare(windows, (names[0], imagined), (names[1], theirs), frame_s)


def _require_pusht(info: WorldInfo) -> None:
    control = info.control
    if control.kind != "action" or control.high != (ARENA_SIZE, ARENA_SIZE) or (info.height, info.width) != (96, 96):
        what = f"{info.name}, {control.kind} of {control.dim}, {info.height}x{info.width}"
        raise InputError("model", what, "give a Push-T model: action x, y in 0..512, images of 96x96")


def _simulate(windows: PushTWindows, actions: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """What the simulator shows under `actions` [N, F, 2] from the end of every context.

    Images uint8 [N, F, 96, 96, 3] and the pusher [N, F, 2].
    """
    simulator, last = PushTSimulator(), windows.context - 1
    pictures = np.empty((*actions.shape[:2], *windows.frames.shape[2:]), np.uint8)
    pusher = np.empty(actions.shape)
    for n in range(len(windows)):
        start = PushTState(windows.pusher[n, last], windows.pusher_velocity[n, last], windows.block[n, last])
        for k, state in enumerate(replay(simulator, start, actions[n])):
            pusher[n, k], pictures[n, k] = state.pusher, simulator.render()
    return pictures, pusher
