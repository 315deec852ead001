"""A small real world for the rollouts."""

from pathlib import Path

import pytest

from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.load(write_tiny_model(Path(tmp_path_factory.mktemp("models"))))
