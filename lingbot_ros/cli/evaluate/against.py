"""`lingbot evaluate --against RECORDING`: what the model imagines under recorded actions, beside what was recorded."""

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from lingbot_ros.cli.model_arguments import load_options, option_words
from lingbot_ros.tasks.registry import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lingbot_ros.evaluate.reality.comparison import Window
    from lingbot_ros.evaluate.reality.episodes import Episode
    from lingbot_ros.evaluate.rollouts.stepper import ObservingStepper
    from lingbot_ros.world import World

MONITOR_WINDOW = 16
POLICY_ARGUMENTS = ("policies", "threshold", "reference", "no_controls")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recording and what of it is compared."""
    group = parser.add_argument_group("against a recording", "instead of policies")
    group.add_argument("--against", type=Path, metavar="RECORDING", help="a bag, or a data set of `lingbot dataset`; "
                       "windows of --horizon frames are compared, at most --rollouts of them")  # fmt: skip
    group.add_argument("--images", default="", metavar="TOPIC", help="image topic of a bag (default: its only one)")
    group.add_argument("--actions", default="", metavar="TOPIC", help="action topic of a bag (default: its only one)")
    group.add_argument("--context", type=int, default=4, help="real frames that the model is shown before it imagines "
                       "(default %(default)s)")  # fmt: skip
    group.add_argument("--divergence", type=float, default=None, metavar="GREY", help="error of the worst patch from "
                       "which on reality and imagination part, grey levels (default 30)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Compare and write the report. Returns 0 when it is written, whatever it says."""
    from tqdm import tqdm

    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.machine import describe_model
    from lingbot_ros.evaluate.reality.calibration import calibrate
    from lingbot_ros.evaluate.reality.comparison import DIVERGENCE_LIMIT
    from lingbot_ros.evaluate.reality.report import write_against
    from lingbot_ros.evaluate.reality.study import study
    from lingbot_ros.evaluate.rollouts.worlds import SessionStepper
    from lingbot_ros.tasks.registry import find_task
    from lingbot_ros.world import World

    for name in POLICY_ARGUMENTS:
        if getattr(args, name):
            raise InputError(f"--{name.replace('_', '-')}", getattr(args, name), "leave it out with --against")
    if args.context < 1:
        raise InputError("--context", args.context, "give 1 or more")
    limit = DIVERGENCE_LIMIT if args.divergence is None else args.divergence
    if not 0 < limit < 255:
        raise InputError("--divergence", limit, "give grey levels above 0, below 255")
    world = World.load(options=load_options(args, {"name": DEFAULT_MODEL}))
    episodes = open_episodes(args, args.against, world, args.context + args.horizon - 1)
    windows = _windows(args, episodes)
    model, stepper = describe_model(world), SessionStepper(world, 1)
    read_state = find_task(world.card.task).policies().robot_state if world.card.task else None
    normal = monitored(episodes, stepper)
    calibration = calibrate(normal, model=model["name"], weights_sha256=model["weights_sha256"])
    with tqdm(total=len(windows), desc="comparing", unit="window", disable=None) as bar:
        result, compared = study(
            stepper, windows, calibration=calibration, read_state=read_state, limit=limit, progress=bar.update
        )
    print(write_against(args.out, result, compared, model, str(args.against), _command(args)))
    return 0


def _windows(args: argparse.Namespace, episodes: "Sequence[Episode]") -> "list[Window]":
    """At most `--rollouts` windows, drawn by the seed, in the order of the recording."""
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.reality.comparison import cut_windows
    from lingbot_ros.evaluate.seeds import generator

    every = list(cut_windows(episodes, args.horizon, args.context))
    if not every:
        raise InputError("--horizon", args.horizon, "no part of the recording is so long; give fewer frames")
    drawn = generator(args.seed, "windows").permutation(len(every))[: args.rollouts]
    return [every[index] for index in sorted(drawn)]


def monitored(episodes: "Sequence[Episode]", stepper: "ObservingStepper") -> "list[NDArray[np.float64]]":
    """The deviations [frames, components] of each window that the live monitor sees, with a bar."""
    from tqdm import tqdm

    from lingbot_ros.evaluate.reality.monitor import normal_windows

    with tqdm(total=len(episodes), desc="monitoring", unit="episode", disable=None) as bar:
        return normal_windows(stepper, episodes, MONITOR_WINDOW, bar.update)


def open_episodes(
    args: argparse.Namespace, path: Path, world: "World", shortest: int, *, normal: bool = False
) -> "Sequence[Episode]":
    """A bag or a data set at `path`. shortest: actions of a stretch of a bag. normal: without what a task records on
    purpose that no robot does. Raises InputError.
    """
    from lingbot_ros.evaluate.reality.source import is_data_set, open_bag, open_clips
    from lingbot_ros.tasks.data import task_of_data
    from lingbot_ros.tasks.registry import find_task

    if not is_data_set(path):
        return open_bag(path, args.images, args.actions, world.info, shortest)
    task = task_of_data(path)
    if task is None:
        return open_clips(path, world.info)
    return find_task(task).normal_episodes(path) if normal else find_task(task).episodes(path)


def _command(args: argparse.Namespace) -> str:
    """What to type for the same figures."""
    words = [f"lingbot evaluate --against {shlex.quote(str(args.against))} --horizon {args.horizon}"]
    words += [
        f"--context {args.context} --rollouts {args.rollouts} --seed {args.seed} --model {args.model or DEFAULT_MODEL}"
    ]
    words += [f"--{name} {value}" for name in ("images", "actions", "divergence") if (value := getattr(args, name))]
    return " ".join([*words, *option_words(args), f"--out {args.out}"])
