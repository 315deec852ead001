"""Make a folder with the genuine `launch` and `launch_ros`, and with this package built as a workspace.

    ./lingbot python test/upstream/environment.py FOLDER
    LINGBOT_UPSTREAM=FOLDER ./lingbot test --slow --no-lint test/upstream

The ROS 2 wheels have no launch. Its packages are pure Python; they are cloned at the release of the distribution that
the wheels are of. UPSTREAM_GIT is where from: the address of a server, or a folder with `launch`, `launch_ros` and
`rcl_interfaces` in it.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.variables import workspace_variables

ROOT = Path(__file__).resolve().parents[2]
RELEASES = {"launch": "3.7.1", "launch_ros": "0.28.0", "rcl_interfaces": "2.2.0"}
PYTHON_PACKAGES = ("launch/launch", "launch/launch_xml", "launch/launch_yaml", "launch_ros/launch_ros")
COMMONS = "osrf-pycommon==2.0.2"


def main() -> None:
    """Clone, install into FOLDER/python, build into FOLDER/install. Takes some minutes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    sources = folder / "src"
    sources.mkdir(parents=True)
    base = os.environ.get("UPSTREAM_GIT", "https://github.com/ros2")
    for name, release in RELEASES.items():
        run(["git", "clone", "-q", "--depth", "1", "-b", release, f"{base}/{name}", str(sources / name)])
    packages = [str(sources / name) for name in PYTHON_PACKAGES]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    run([*pip, "--target", str(folder / "python"), COMMONS, *packages])
    # The messages are installed already, in the environment that this Python is of.
    places = [sources / "rcl_interfaces" / "composition_interfaces", ROOT]
    build = ["colcon", "build", "--base-paths", *map(str, places)]
    run([*build, "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"], folder)


def run(command: list[str], folder: Path | None = None) -> None:
    """Show the command and run it. Raises CalledProcessError."""
    print("+", *command, flush=True)
    subprocess.run(command, check=True, cwd=folder, env=workspace_variables(Layout(ROOT), os.environ))


if __name__ == "__main__":
    main()
