"""What every test run shares: which folders need ROS 2, in which order the stages run, and a ROS domain of its own."""

import os
import random
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

_HERE = Path(__file__).parent
_NEED_ROS = ("bridge", "launch", "nodes")
_HAVE_ROS = find_spec("rclpy") is not None
_NODE_FOLDERS = ("nodes", "launch")

# A run that was started without `./lingbot test` must not reach the robots of the network either.
if "PYTEST_XDIST_WORKER" in os.environ:
    # The workers of one run must not hear each other.
    _WORKER = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.environ["ROS_DOMAIN_ID"] = str(1 + (int(os.environ["PYTEST_XDIST_TESTRUNUID"], 16) + _WORKER) % 59)
os.environ.setdefault("ROS_DOMAIN_ID", str(random.randint(1, 59)))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

# What somebody exported on this machine must not decide which engine a test's `auto` takes.
os.environ["LINGBOT_ENGINES"] = str(_HERE / "no-exported-graphs")

# A run started in the background of a script ignores SIGINT, one started by nohup SIGHUP. So would
# every program that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# How long an example takes says something about the machine, not about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not collected."""
    if not _HAVE_ROS:
        folders = ", ".join(f"test/{name}" for name in _NEED_ROS)
        terminalreporter.write_line(f"rclpy is not installed: left out {folders} (./lingbot test has them)")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave the folders alone whose tests cannot even be imported without ROS 2."""
    if not _HAVE_ROS and collection_path.parent == _HERE and collection_path.name in _NEED_ROS:
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, then the nodes over DDS, then the shipped model; slow ones last."""
    items.sort(key=_stage)


def _stage(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return 3
    if item.get_closest_marker("model"):
        return 2
    folder = item.path.relative_to(_HERE).parts[0] if item.path.is_relative_to(_HERE) else ""
    return 1 if folder in _NODE_FOLDERS else 0
