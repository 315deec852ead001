"""The programs of the tutorials, run as they say, each in a process of its own, with the shipped model."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("lingbot_msgs.msg", reason="lingbot_msgs is not built")

from lingbot_ros.nodes.parameters import PARAMETERS
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

TUTORIALS = ROOT / "docs" / "tutorials"


def commands(page: str) -> list[list[str]]:
    """What follows `./lingbot python` in a tutorial's bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (TUTORIALS / page).read_text(), flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("./lingbot python")]
    return [shlex.split(line)[2:] for line in lines]


@contextmanager
def program(environment: dict[str, str], command: list[str]) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, *command]
    with subprocess.Popen(arguments, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE_S) == 0


def line_with(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without a line with {text!r}")


def test_subscribe_a_policy() -> None:
    environment = isolated_environment()
    world, policy, watch = commands("subscribe_a_policy.md")
    with program(environment, world) as running:
        line_with(running, "pusht-small waits for controls")
        with program(environment, [*policy, "--frames", "3"]) as acting, program(environment, [*watch]) as watching:
            line_with(acting, "driven by action")
            line_with(watching, "frame 1: 96x96 rgb8")
            assert acting.wait(PATIENCE_S) == 0


def test_drive_with_cmd_vel() -> None:
    environment = isolated_environment()
    world, drive = commands("drive_with_cmd_vel.md")
    with program(environment, world) as running:
        line_with(running, "pusht-small waits for controls")
        with program(environment, drive) as driving:
            # From the middle of the table the first velocity, straight ahead, moves the place up.
            line = line_with(driving, "frame 5: action")
            x, y = (float(number) for number in re.findall(r"[\d.]+", line.split("action")[1]))
            assert x == 256.0 or y < 256.0


@pytest.mark.parametrize("page", sorted(path.name for path in TUTORIALS.glob("*.md")))
def test_parameters_in_tutorials_are_declared(page: str) -> None:
    names = {parameter.name for parameter in PARAMETERS}
    for block in re.findall(r"```yaml\n(.*?)```", (TUTORIALS / page).read_text(), flags=re.DOTALL):
        assert set(dotted(yaml.safe_load(block)["/**/imagination"]["ros__parameters"])) <= names


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_parameter_files_name_declared_parameters(path: Path) -> None:
    names = {parameter.name for parameter in PARAMETERS}
    file = yaml.safe_load(path.read_text())
    assert set(dotted(file["/**/imagination"]["ros__parameters"])) <= names


def dotted(tree: dict[str, object], prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield prefix + name
