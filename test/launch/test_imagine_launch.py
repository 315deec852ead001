"""The launch file: its syntax everywhere, its description where `launch_ros` is installed."""

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LAUNCH_FILE = ROOT / "launch" / "imagine.launch.py"
ARGUMENTS = {
    *("model", "engine", "device", "precision", "mode", "namespace", "params_file"),
    *("use_sim_time", "autostart", "log_level", "use_respawn", "large_images", "camera", "observe_every"),
}


def declared(tree: ast.AST) -> dict[str, ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [call for call in calls if getattr(call.func, "id", "") == "DeclareLaunchArgument"]
    return {ast.literal_eval(call.args[0]): call for call in found}


def test_every_argument_is_declared_and_described() -> None:
    arguments = declared(ast.parse(LAUNCH_FILE.read_text()))
    assert set(arguments) == ARGUMENTS
    for name, call in arguments.items():
        words = {keyword.arg for keyword in call.keywords}
        assert {"default_value", "description"} <= words, name


def test_overridden_parameters_and_the_file_exist() -> None:
    text = LAUNCH_FILE.read_text()
    overrides = ast.literal_eval(re.search(r"OVERRIDES = (\{.*?\})", text, re.DOTALL)[1])  # type: ignore[index]
    file = yaml.safe_load((ROOT / "config" / "imagination.yaml").read_text())
    parameters = file["/**/imagination"]["ros__parameters"]
    for parameter in overrides.values():
        value = parameters
        for part in parameter.split("."):
            value = value[part]
    assert set(overrides) < ARGUMENTS
    assert '"config", "imagination.yaml"' in text


def test_the_executable_is_installed() -> None:
    assert '"imagination = lingbot_ros.nodes.imagination.main:main"' in (ROOT / "setup.py").read_text()


@pytest.fixture
def launch_file() -> ModuleType:
    pytest.importorskip("launch_ros", reason="launch_ros comes with a ROS 2 installation, not as a wheel")
    spec = importlib.util.spec_from_file_location("imagine_launch", LAUNCH_FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_description_builds(launch_file: ModuleType) -> None:
    entities = launch_file.generate_launch_description().entities
    assert {getattr(entity, "name", None) for entity in entities} >= ARGUMENTS
