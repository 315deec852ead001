"""The tutorial on policies that are ROS nodes, command by command.

Every command starts processes with a model in them: `./lingbot test --slow test/docs/test_evaluate_a_policy.py`.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

import yaml

from lingbot_ros.nodes.evaluator.topic_policies import _options
from test.docs.test_tutorials import TUTORIALS, running_world
from test.support.imagination import PATIENCE_S, ROOT, isolated_environment

PAGE = TUTORIALS / "evaluate_a_policy.md"


def commands() -> list[list[str]]:
    lines = re.findall(r"^\./lingbot (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return [shlex.split(line) for line in lines]


def place(folder: Path) -> Path:
    """A folder to run the commands in, with the files of the project that they name."""
    for name in ("config", "docs", "lingbot_msgs"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(words: list[str], folder: Path) -> str:
    program = words[1:] if words[0] == "python" else ["-m", "lingbot_ros.cli.main", *words]
    environment = {**isolated_environment(), "ROS_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, *program], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=3 * PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_nodes_are_evaluated_from_the_command_line_and_over_ros(tmp_path: Path) -> None:
    alone, over_ros = commands()[:2]
    folder = place(tmp_path)
    assert "node" in run([*alone, "--rollouts", "1", "--horizon", "2"], folder)
    assert (folder / "reports" / "nodes" / "index.html").is_file()
    told = run([*over_ros, "--rollouts", "1", "--frames", "2"], folder)
    assert re.search(r"lerobot: 0 of 1 \(0\.00 to 0\.79\), 0 invalid", told), told
    assert "node  from start 0: failure" in told and "No ranking is given" in told


@pytest.mark.slow
def test_a_recording_is_compared(tmp_path: Path) -> None:
    make, compare = commands()[2:4]
    folder = place(tmp_path)
    run(make, folder)
    assert "it follows its actions" in run(compare, folder)
    assert (folder / "reports" / "recorded" / "index.html").is_file()


@pytest.mark.slow
def test_the_monitor_starts(tmp_path: Path) -> None:
    (watch,) = commands()[4:]
    with running_world(watch[1:], {**isolated_environment(), "ROS_HOME": str(tmp_path)}, "waits for goals"):
        pass


def test_the_entry_on_the_page_is_read() -> None:
    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert block is not None
    (entry,) = yaml.safe_load(block[1])["policies"]
    options, command = _options({key: value for key, value in entry.items() if key != "name"})
    assert (options.image, command[1]) == ("/node/image_raw", "policy_node.py")
    assert os.path.isfile(ROOT / "docs" / "examples" / command[1])
