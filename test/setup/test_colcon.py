"""The documented builds, for real. They compile for minutes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.setup import is_up_to_date
from lingbot_ros.environment.stages import stages
from lingbot_ros.environment.variables import workspace_variables

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = Layout(ROOT)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_up_to_date(LAYOUT, stages(LAYOUT)), reason="the environment of ./lingbot is not ready"),
]

CHECK = """
import lingbot_msgs.msg, lingbot_ros
from ament_index_python.packages import get_package_share_directory
print(lingbot_ros.__file__)
print(lingbot_msgs.msg.__file__)
print(get_package_share_directory("lingbot_ros"))
print(get_package_share_directory("lingbot_msgs"))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The working tree's tracked and new files, without anything built."""
    clone = tmp_path / "src" / "lingbot_ros"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    ).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, clone / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return clone


def test_both_packages_build_in_a_workspace_and_are_used_from_there(clone: Path) -> None:
    workspace = clone.parents[1]
    variables = workspace_variables(LAYOUT, os.environ)
    subprocess.run(
        ["colcon", "build", "--base-paths", "src/lingbot_ros", "src/lingbot_ros/lingbot_msgs"],
        check=True,
        cwd=workspace,
        env=variables,
    )
    executables = workspace / "install" / "lingbot_ros" / "lib" / "lingbot_ros"
    commands = [". install/setup.sh", "cd /", f"{LAYOUT.python} -c '{CHECK}'", f"{executables}/lingbot --version"]
    done = subprocess.run(
        ["sh", "-c", " && ".join(commands)],
        check=False,
        capture_output=True,
        text=True,
        cwd=workspace,
        env=variables,
    )
    assert done.returncode == 0, done.stderr
    *places, version = done.stdout.splitlines()
    assert all(place.startswith(f"{workspace}/install/") for place in places), places
    assert version.startswith("lingbot_ros ")
    assert (executables / "imagination").is_file()


def test_a_clean_clone_sets_itself_up_and_is_ready(clone: Path) -> None:
    """Downloads everything. Twice: the second start must find nothing to do."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("_ROS", "VIRTUAL_ENV"))}
    for expected in ("the environment is ready", ""):
        done = subprocess.run(
            [clone / "lingbot", "--version"], check=False, capture_output=True, text=True, cwd="/", env=variables
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("lingbot_ros ")
        assert expected in done.stderr
    assert done.stderr == ""
