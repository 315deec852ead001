"""What package.xml and setup.py promise, against what the source tree has and needs."""

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lingbot_ros import __version__

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ("config", "launch", "models")

BY_IMPORT = {"cv2": "python3-opencv", "numpy": "python3-numpy", "yaml": "python3-yaml", "tqdm": "python3-tqdm"}
BY_IMPORT |= {"matplotlib": "python3-matplotlib"}
"""Python packages that rosdep knows by another name than that of their import."""

BY_INDEX = {"PIL": "pillow"}
"""Python packages that the package index has by another name than that of their import."""

FROM_INDEX = {"torch", "safetensors", "gym-pusht", "gymnasium", "pymunk", "tensorboard", "diffusers", "transformers"}
"""Python packages that rosdep lacks; setup.py must name them."""

REQUIRED_KEYS = {
    *("rclpy", "launch", "launch_ros", "cv_bridge", "tf2_ros", "sensor_msgs", "std_msgs", "geometry_msgs", "nav_msgs"),
    *("trajectory_msgs", "diagnostic_msgs", "rosgraph_msgs", "lifecycle_msgs", "lingbot_msgs"),
}


def manifest(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()


def dependencies(path: Path) -> set[str]:
    return {str(tag.text) for tag in manifest(path) if tag.tag.endswith("depend")}


def setup_arguments() -> dict[str, ast.expr]:
    """The arguments of the call of `setup`, unevaluated."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    call = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setup"
    )
    return {str(keyword.arg): keyword.value for keyword in call.keywords}


@pytest.mark.parametrize("path", ["package.xml", "lingbot_msgs/package.xml"])
def test_the_manifest_is_format_3_with_a_licence_and_this_version(path: str) -> None:
    root = manifest(ROOT / path)
    assert root.get("format") == "3"
    assert root.findtext("version") == __version__
    assert root.findtext("license") == "Apache-2.0"
    assert "@" in str(root.find("maintainer").get("email"))  # type: ignore[union-attr]


def test_setup_has_the_same_version() -> None:
    assert ast.literal_eval(setup_arguments()["version"]) == __version__


def imports_below(folder: Path) -> set[str]:
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"lingbot_ros"}


def test_every_import_is_declared_somewhere() -> None:
    """An import is a rosdep key of package.xml or a requirement or extra of setup.py."""
    arguments = setup_arguments()
    listed = list(ast.literal_eval(arguments["install_requires"]))
    listed += [line for extra in ast.literal_eval(arguments["extras_require"]).values() for line in extra]
    python = {re.split(r"[<>=!\[ ]", line, maxsplit=1)[0].lower().replace("-", "_") for line in listed}
    ros = dependencies(ROOT / "package.xml")
    undeclared = {
        name
        for name in imports_below(ROOT / "lingbot_ros") | imports_below(ROOT / "launch")
        if name not in ros and BY_IMPORT.get(name) not in ros and BY_INDEX.get(name, name.lower()) not in python
    }
    assert not undeclared


def test_rosdep_keys_are_all_there_and_python_ones_are_in_setup() -> None:
    assert REQUIRED_KEYS | set(BY_IMPORT.values()) <= dependencies(ROOT / "package.xml")
    text = (ROOT / "setup.py").read_text()
    for name in FROM_INDEX:
        assert f'"{name}' in text, name


def test_the_messages_depend_on_every_package_they_use() -> None:
    used = set()
    for path in (ROOT / "lingbot_msgs").glob("*/*"):
        if path.suffix in (".msg", ".srv", ".action"):
            used |= set(re.findall(r"^\s*([a-z][a-z0-9_]*)/[A-Z]\w*", path.read_text(), re.MULTILINE))
    used -= {"lingbot_msgs"}
    cmake = (ROOT / "lingbot_msgs" / "CMakeLists.txt").read_text()
    assert used
    assert used <= dependencies(ROOT / "lingbot_msgs" / "package.xml")
    assert all(f"find_package({name} REQUIRED)" in cmake for name in used)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `setup.py install`, which is what colcon runs, puts the package."""
    base = tmp_path_factory.mktemp("installed")
    command = [
        sys.executable,
        "setup.py",
        "-q",
        "egg_info",
        "--egg-base",
        base,
        "build",
        "--build-base",
        base / "build",
    ]
    command += ["install", "--prefix", base / "prefix", "--record", base / "record"]
    subprocess.run(
        [*command, "--single-version-externally-managed"],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
    )
    return base / "prefix"


def relative_files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    }


@pytest.mark.parametrize("folder", INSTALLED)
def test_every_file_of_these_folders_is_installed(installed: Path, folder: str) -> None:
    source = relative_files(ROOT / folder)
    assert relative_files(installed / "share" / "lingbot_ros" / folder) == source


def test_the_package_is_found_by_ament_and_is_complete(installed: Path) -> None:
    assert (installed / "share/ament_index/resource_index/packages/lingbot_ros").is_file()
    assert (installed / "share/lingbot_ros/package.xml").is_file()
    (package,) = installed.glob("lib/python3*/site-packages/lingbot_ros")
    sources = {path for path in relative_files(ROOT / "lingbot_ros") if path.endswith((".py", ".typed", ".txt"))}
    assert sources <= relative_files(package)


def test_executables_lie_where_ros2_run_and_launch_look(installed: Path) -> None:
    scripts = {path.name for path in (installed / "lib" / "lingbot_ros").iterdir()}
    assert {"lingbot", "imagination"} <= scripts


def test_every_entry_point_can_be_imported() -> None:
    scripts = ast.literal_eval(setup_arguments()["entry_points"])["console_scripts"]
    for script in scripts:
        module, function = script.partition("=")[2].strip().split(":")
        if module.startswith("lingbot_ros.nodes"):
            pytest.importorskip("rclpy")
        assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("path", ["lingbot", ".ci/run"])
def test_scripts_are_executable(path: str) -> None:
    assert os.access(ROOT / path, os.X_OK)
