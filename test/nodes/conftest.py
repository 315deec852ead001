"""One lockstep node serves all tests of a file that leave it running."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")

from test.support.imagination import NodeUnderTest, Probe, running_node
from test.support.tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny action model of the real classes: 32x32, 10 frames per second, one frame per chunk."""
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def lockstep(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeUnderTest, Probe]]:
    """An active node in lockstep, without a session at first."""
    with running_node(tmp_path_factory.mktemp("node"), model__name=model, mode="lockstep") as (node, probe):
        probe.bring_up()
        yield node, probe


@pytest.fixture
def probe(lockstep: tuple[NodeUnderTest, Probe]) -> Probe:
    """The client of the running node; what it heard before is forgotten."""
    _, client = lockstep
    client.images.clear()
    client.infos.clear()
    return client
