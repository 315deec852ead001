"""What `lingbot` gets to know of the ball. Help must be instant: what takes long to import is imported when used."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from lingbot_ros.tasks.task import Command, FirstImage, Task

if TYPE_CHECKING:
    from lingbot_ros.evaluate.clip_metrics import ClipMetrics
    from lingbot_ros.evaluate.evaluation import Evaluation, EvaluationOptions
    from lingbot_ros.evaluate.limits import Check
    from lingbot_ros.tasks.policy import Policy
    from lingbot_ros.training.config import TrainConfig
    from lingbot_ros.training.training_data import TrainingData
    from lingbot_ros.world import World

NAME = "bouncing_ball"


def add_dataset_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `lingbot dataset bouncing-ball`."""
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--episodes", type=int, default=60, help="how many (default %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="actions per episode (default %(default)s)")


def make_dataset(args: argparse.Namespace) -> int:
    """Make what is missing of the set; one episode in ten is held back."""
    from bouncing_ball.data import write_episodes

    write_episodes(args.out, "training", args.episodes, args.steps)
    print(f"{args.out}: {args.episodes} episodes of {args.steps} steps")
    return 0


def require_forecast(figures: ClipMetrics) -> tuple[Check, ...]:
    """What a model must reach: to be nearer to the ball after four frames than if it had stayed where it was."""
    from lingbot_ros.evaluate.limits import Check

    frame = min(4, figures.horizon)
    error, repeat = (figures.task["ball_px"][name][frame - 1] for name in ("imagined", "last_frame_repeated"))
    limit, interval = round(repeat.value, 2), (error.low, error.high)
    return (Check("ball, mean px", error.value, "<=", limit, 1.0, frame, interval, repeat.value),)


class BouncingBall(Task):
    """A ball in a box: a simulator, clips, one metric of its own, a demo policy and one required figure."""

    name = NAME
    title = "bouncing ball"
    dataset_command = Command("bouncing-ball", "a ball that is pushed about", add_dataset_arguments, make_dataset)

    def first_image(self, seed: int) -> FirstImage | None:
        from bouncing_ball.simulator import BallSimulator

        return FirstImage(BallSimulator(seed).render(), f"a ball, seed {seed}")

    def demo_policy(self, seed: int) -> Policy | None:
        from bouncing_ball.policy import Juggler

        return Juggler()

    def training_data(self, folder: Path, config: TrainConfig, validation: Path | None) -> TrainingData:
        from bouncing_ball.data import BALL_PX
        from lingbot_ros.datasets.reader import ClipSet
        from lingbot_ros.errors import InputError
        from lingbot_ros.training.training_data import clip_training_data

        if validation is not None:
            raise InputError("--validation", validation, "the set holds back episodes of its own; leave it out")
        return clip_training_data(ClipSet(folder), config, (BALL_PX,), self.name)

    def evaluate(self, world: World, options: EvaluationOptions) -> Evaluation:
        from tempfile import TemporaryDirectory

        from bouncing_ball.data import BALL_PX, write_episodes
        from lingbot_ros.evaluate.clip_evaluation import evaluate_clips

        steps, episodes = options.context + options.horizon - 1, max(2, options.episodes)
        with TemporaryDirectory() as folder:
            clips = write_episodes(Path(folder), "evaluation", episodes, steps, options.seed)
            return evaluate_clips(
                world, clips, options, metrics=(BALL_PX,), required=require_forecast, origin="the simulator"
            )
