"""The house plan: which room may know what."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "lingbot_ros"
# The command line stands above the nodes: it starts them.
ROS_ROOMS = ("bridge", "cli", "nodes")
ROS_PACKAGES = {
    "action_msgs",
    "ament_index_python",
    "builtin_interfaces",
    "diagnostic_msgs",
    "geometry_msgs",
    "launch",
    "launch_ros",
    "lifecycle_msgs",
    "lingbot_msgs",
    "nav_msgs",
    "rcl_interfaces",
    "rclpy",
    "rosgraph_msgs",
    "sensor_msgs",
    "simulation_interfaces",
    "std_msgs",
    "std_srvs",
    "tf2_msgs",
    "tf2_ros",
    "trajectory_msgs",
}

IMPORT_EVERYTHING = """
import importlib, sys

class NoRos:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is blocked in this test")

BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, NoRos())
for module in sys.argv[2:]:
    importlib.import_module(module)
    print(module)
"""


def modules_of_the_core() -> list[str]:
    core = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if len(parts) > 1 and parts[1] in ROS_ROOMS:
            continue
        core.append(".".join(part for part in parts if part != "__init__"))
    return core


def test_the_core_imports_with_ros_blocked() -> None:
    core = modules_of_the_core()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING, ",".join(sorted(ROS_PACKAGES)), *core],
        check=False,
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        env={**os.environ, "SDL_VIDEODRIVER": "dummy"},
    )
    assert done.returncode == 0, done.stderr
    assert set(core) <= set(done.stdout.split())


def imported_packages(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).partition(".")[0])
    return found


@pytest.mark.parametrize("room", sorted({path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}))
def test_only_rooms_above_the_line_import_ros(room: str) -> None:
    """Also inside functions, which the import above does not run."""
    if room in ROS_ROOMS:
        pytest.skip("may import ROS")
    target = PACKAGE / room
    for path in [target] if target.is_file() else sorted(target.rglob("*.py")):
        assert not imported_packages(path) & ROS_PACKAGES, path


# From the ground up. A room imports only rooms below it, wherever in a file the import stands.
ROOMS = (
    "errors",
    "text_enum",
    "compat",
    "shared_files",
    "home",
    "model_options",
    "sendable",
    "input_files",
    "environment",
    "model",
    "engine",
    "checkpoints",
    "control",
    "world",
    "planning",
    "agent",
    "runtime",
    "recording",
    "datasets",
    "viewer",
    "bridge",
    "evaluate",
    "training",
    "tasks",
    "gym",
    "nodes",
    "cli",
)


def imported_rooms(path: Path) -> set[str]:
    modules = [
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lingbot_ros.")
    ]
    return {module.split(".")[1] for module in modules}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_below_it(path: Path) -> None:
    if path.parent == PACKAGE and path.name == "__init__.py":
        return
    above = set(ROOMS[ROOMS.index(room_of(path)) + 1 :])
    assert room_of(path) in ROOMS
    assert not imported_rooms(path) & above
