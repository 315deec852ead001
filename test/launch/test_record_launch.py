"""The launch file that records: its syntax and names everywhere."""

import ast
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "launch" / "record.launch.py").read_text()


def test_every_argument_is_described() -> None:
    calls = [node for node in ast.walk(ast.parse(TEXT)) if isinstance(node, ast.Call)]
    arguments = [call for call in calls if getattr(call.func, "id", "") == "DeclareLaunchArgument"]
    assert {ast.literal_eval(call.args[0]) for call in arguments} == {"folder", "compressed"}
    assert all("description" in {keyword.arg for keyword in call.keywords} for call in arguments)


def test_the_parameters_that_it_sets_exist() -> None:
    known = yaml.safe_load((ROOT / "config" / "imagination.yaml").read_text())["/**/imagination"]["ros__parameters"]
    names = re.findall(r'SetParameter\("recording\.(\w+)"', TEXT)
    assert names == ["on_start", "folder", "compressed"]
    assert set(names) <= set(known["recording"])
