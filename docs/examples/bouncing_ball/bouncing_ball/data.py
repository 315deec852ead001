"""Episodes of the ball as clips on disk, and how far off an imagined ball is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bouncing_ball.simulator import FPS, SIZE_PX, find_ball, make_actions, play
from lingbot_ros.datasets.plan import PlanOptions, make_plan
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.evaluate.metric import Metric

PURPOSES = ("training", "evaluation")


def write_episodes(root: Path, purpose: str, episodes: int, steps: int, seed: int = 0) -> ClipSet:
    """The set in `root`, complete. Two purposes never share an episode; of one for evaluation all is held back."""
    options = PlanOptions((SIZE_PX, SIZE_PX), longest=steps, shortest=1, low=(-1.0, -1.0), high=(1.0, 1.0))
    source = {"type": "simulated", "task": "bouncing_ball", "purpose": purpose, "seed": seed}
    plan = make_plan(source, FPS, ("push_x", "push_y"), [steps] * episodes, options)
    if purpose == "evaluation":
        plan = replace(plan, validation=tuple(range(episodes)))
    writer = ClipSetWriter(root, plan)
    for episode in writer.missing():
        own_seed = (PURPOSES.index(purpose), seed, episode)
        actions = make_actions(own_seed, steps)
        writer.write(episode, play(own_seed, actions), actions)
    writer.finish()
    return ClipSet(root)


def ball_px(imagined: NDArray[np.uint8], real: NDArray[np.uint8]) -> float:
    """Distance of the balls in two images; a lost one counts as wrong by the whole image."""
    return float(np.nan_to_num(np.linalg.norm(find_ball(imagined) - find_ball(real)), nan=SIZE_PX))


BALL_PX = Metric("ball_px", ball_px, "a ball that stays where it is", "it is not learning how the ball flies", True)
