"""Worlds with tiny random models of both kinds: one-step pixel motion, and few-step flow with a clean commit."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.model.config import StreamConfig
from lingbot_ros.world import World
from test.support.tiny_model import FOUR_STEP_COMMIT, VELOCITY, write_tiny_model


@pytest.fixture(scope="module", params=["motion", "velocity"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("models")
    if request.param == "motion":
        return World.load(write_tiny_model(folder))
    stream = StreamConfig(chunk=1, window=4, sink=1)
    return World.load(write_tiny_model(folder, config=VELOCITY, sampler=FOUR_STEP_COMMIT, stream=stream))


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@pytest.fixture
def actions() -> NDArray[np.float64]:
    return np.random.default_rng(1).uniform(0, 512, (40, 1, 2))
