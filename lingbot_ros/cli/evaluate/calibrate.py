"""`lingbot evaluate --calibrate RECORDING`: what deviations are normal for a model, for the live monitor."""

import argparse
from pathlib import Path

from lingbot_ros.cli.evaluate import against
from lingbot_ros.cli.model_arguments import load_options
from lingbot_ros.tasks.registry import DEFAULT_MODEL


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the recording."""
    group = parser.add_argument_group("calibrating the live monitor", "instead of policies")
    group.add_argument("--calibrate", type=Path, metavar="RECORDING", help="a bag or a data set in which nothing went "
                       "wrong, of 30 windows of 17 frames or more; writes OUT/MODEL.json")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Watch the recording with the live monitor and write what it found normal. Returns 0 when that is written."""
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.machine import describe_model
    from lingbot_ros.evaluate.reality.calibration import FEWEST_WINDOWS, calibrate
    from lingbot_ros.evaluate.rollouts.worlds import SessionStepper
    from lingbot_ros.world import World

    for name in ("against", *against.POLICY_ARGUMENTS):
        if getattr(args, name):
            raise InputError(f"--{name.replace('_', '-')}", getattr(args, name), "leave it out with --calibrate")
    world = World.load(options=load_options(args, {"name": DEFAULT_MODEL}))
    episodes = against.open_episodes(args, args.calibrate, world, against.MONITOR_WINDOW, normal=True)
    model = describe_model(world)
    windows = against.monitored(episodes, SessionStepper(world, 1))
    found = calibrate(windows, model=model["name"], weights_sha256=model["weights_sha256"])
    if found is None:
        few = f"{args.calibrate}, which has {len(windows)} windows of {against.MONITOR_WINDOW} frames"
        raise InputError("--calibrate", few, f"give a longer recording: {FEWEST_WINDOWS} windows or more are needed")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"{model['name']}.json"
    found.save(path)
    print(
        f"{found.windows} normal windows of {found.window} frames: WARN above {found.warn:.2f}, STOP above "
        f"{found.stop:.2f} on two frames in a row, where 95 % of normal frames stay below 1; a normal window "
        f"is stopped with probability {found.alpha:g} at most"
    )
    for name, median, high in zip(found.components, found.median, found.high, strict=True):
        print(f"  {name.replace('_', ' ')}: {median:.3g} in half of the frames, {high:.3g} in 95 % of them")
    print(f"wrote {path}: the node evaluator reads it from config/trust/, or as its parameter trust.calibration")
    return 0
