"""The example of a planning test: it passes as it is, and a planted bug makes all of it fail."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")
pytest.importorskip("simulation_interfaces", reason="the standard's messages are not built")

from test.support.imagination import PATIENCE_S, ROOT, isolated_environment


def outcome(*arguments: str, **variables: str) -> str:
    """What pytest prints of the example's tests."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "docs/examples/planning_test", *arguments],
        env={**os.environ, **isolated_environment(), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE_S,
        check=False,
    )
    return done.stdout


def test_the_example_passes() -> None:
    assert "4 passed" in outcome()


def test_a_flipped_axis_is_caught_by_the_comparison() -> None:
    told = outcome("-k", "ours", PLANTED_BUG="flipped_axis")
    assert "3 failed" in told, told
    assert told.count("AssertionError: your plan misses by") >= 3


@pytest.mark.slow
def test_a_flipped_axis_is_caught_by_the_simulator() -> None:
    told = outcome("-k", "brings", PLANTED_BUG="flipped_axis")
    assert "1 failed" in told, told
    assert "assert np.float64" in told or "< 25" in told
