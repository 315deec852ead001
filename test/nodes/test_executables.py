"""Every executable says in one sentence which ROS argument or parameter it cannot use, and ends with 2."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from test.support.imagination import ROOT, isolated_environment

NODES = sorted(re.findall(r"lingbot_ros\.nodes\.(\w+)\.main:main", (ROOT / "setup.py").read_text()))


def test_all_executables_are_asked() -> None:
    assert {"evaluator", "imagination", "viewer"} <= set(NODES)


def refused(name: str, *arguments: str, **environment: str) -> list[str]:
    """What the executable says itself, line by line, once it has ended with 2."""
    ended = subprocess.run(
        [sys.executable, "-m", f"lingbot_ros.nodes.{name}.main", "--ros-args", *arguments],
        env={**isolated_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    return [line for line in ended.stderr.splitlines() if line.startswith(f"{name}: ")]


@pytest.mark.parametrize("name", NODES)
def test_arguments_that_ros_cannot_use_and_a_missing_home_are_a_sentence_each(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home, arguments = refused(name, "-r", "x", HOME=str(tmp_path / "file"), TMPDIR=str(tmp_path), ROS_HOME="")
    assert home.startswith(f"{name}: no home folder that can be written: logs, bags and snapshots go to {tmp_path}")
    assert arguments.startswith(f"{name}: --ros-args: got --ros-args -r x; ROS cannot use them: ")


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("evaluator", "rows:=many", "rows: got the text 'many'; give a whole number"),
        ("viewer", "port:=70000", "port: got 70000; give a number from 0 to 65535"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_a_sentence(name: str, given: str, sentence: str) -> None:
    assert refused(name, "-p", given) == [f"{name}: {sentence}"]
