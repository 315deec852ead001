"""A batch of rows against the sessions that they stand for."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import EngineError, InputError, SessionError
from lingbot_ros.world import Batch, World
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import FOUR_STEP_COMMIT, LAYERS, MOTION, ONE_STEP, VELOCITY, write_tiny_model

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8)
ACTIONS = RNG.uniform(0, 512, (3, 12, 2))


@pytest.mark.parametrize(("config", "sampler"), [(MOTION, ONE_STEP), (LAYERS, ONE_STEP), (VELOCITY, FOUR_STEP_COMMIT)])
def test_rows_imagine_what_sessions_imagine_even_when_one_starts_late(tmp_path: Path, config, sampler) -> None:
    world = World.load(write_tiny_model(tmp_path, config=config, sampler=sampler))
    batch = Batch(world, 3)
    sessions = [world.start(IMAGES[row], seed=row) for row in range(3)]
    for row in range(3):
        assert (batch.start(row, IMAGES[row], seed=row) == IMAGES[row]).all()
    for step in range(12):
        if step == 5:  # after the ring has begun to turn
            batch.start(1, IMAGES[3], seed=9)
            sessions[1] = world.start(IMAGES[3], seed=9)
        together = batch.step(ACTIONS[:, step : step + 1])
        alone = np.stack([session.step(ACTIONS[row, step : step + 1]) for row, session in enumerate(sessions)])
        # One grey level: rotary positions of a late row differ by a constant, and rounding with them.
        assert np.abs(together.astype(int) - alone.astype(int)).max() <= 1, step


def test_a_refused_step_changes_nothing_and_names_the_row(tmp_path: Path) -> None:
    world = World.load(write_tiny_model(tmp_path))
    batch, other = Batch(world, 2), Batch(world, 2)
    with pytest.raises(SessionError, match="row 0 was never started"):
        batch.step(np.zeros((2, 1, 2)))
    for row in range(2):
        batch.start(row, IMAGES[row])
        other.start(row, IMAGES[row])
    bad = ACTIONS[:2, :1].copy()
    bad[1, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"row 1: action\[0\].x: got nan"):
        batch.step(bad)
    with pytest.raises(InputError, match="controls"):
        batch.step(np.zeros((3, 1, 2)))
    with pytest.raises(InputError, match="row"):
        batch.start(2, IMAGES[0])
    assert (batch.step(ACTIONS[:2, :1]) == other.step(ACTIONS[:2, :1])).all()


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="one by one"):
        Batch(World.load(write_tiny_camera_model(tmp_path)), 2)
