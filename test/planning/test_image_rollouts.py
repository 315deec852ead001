"""Futures as images: what forks of the session would imagine, and how they are scored."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.planning.costs import GoalImage
from lingbot_ros.planning.futures import Futures
from lingbot_ros.planning.image_rollouts import ImageRollouts
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model


def test_futures_are_what_forks_imagine_and_the_goal_is_the_cheapest(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path), threads=1)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    session = world.start(image, seed=1)
    session.step([[100.0, 100.0]])
    before = session.frame_index
    actions = np.random.default_rng(1).uniform(50.0, 450.0, (3, 2, 2))
    images = ImageRollouts(world, session, rows=2).roll(actions).images
    assert images is not None
    assert session.frame_index == before
    for row, controls in enumerate(actions):
        fork = session.fork()
        alone = np.concatenate([fork.step(action[None]) for action in controls])
        fork.close()
        assert np.abs(images[row].astype(int) - alone.astype(int)).max() <= 1
    costs = GoalImage(images[1, -1])(Futures(actions, images=images))
    assert costs[1] == 0
    assert (np.delete(costs, 1) > 0).all()


def test_a_goal_of_another_size_and_futures_without_images_are_refused() -> None:
    goal = GoalImage(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InputError, match="goal: got shape"):
        goal(Futures(np.zeros((1, 1, 2)), images=np.zeros((1, 1, 9, 8, 3), np.uint8)))
    with pytest.raises(InputError, match="plan on images"):
        goal(Futures(np.zeros((1, 1, 2))))
