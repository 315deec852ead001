"""The launch files that include imagine.launch.py: their syntax and names everywhere."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = {
    "record.launch.py": {"folder", "compressed"},
    "sim.launch.py": {"world", "worlds", "mode"},
}


@pytest.mark.parametrize(("name", "expected"), FILES.items())
def test_every_argument_is_described(name: str, expected: set[str]) -> None:
    tree = ast.parse((ROOT / "launch" / name).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    arguments = [call for call in calls if getattr(call.func, "id", "") == "DeclareLaunchArgument"]
    assert {ast.literal_eval(call.args[0]) for call in arguments} == expected
    assert all({"default_value", "description"} <= {keyword.arg for keyword in call.keywords} for call in arguments)


@pytest.mark.parametrize("name", FILES)
def test_the_parameters_that_it_sets_exist(name: str) -> None:
    known = yaml.safe_load((ROOT / "config" / "imagination.yaml").read_text())["/**/imagination"]["ros__parameters"]
    names = re.findall(r'SetLaunchConfiguration\("(\w+)\.(\w+)"', (ROOT / "launch" / name).read_text())
    assert names
    included = (ROOT / "launch" / "imagine.launch.py").read_text()
    assert all(f'"{group}.{parameter}": ' in included for group, parameter in names)
    assert all(parameter in known[group] for group, parameter in names)
