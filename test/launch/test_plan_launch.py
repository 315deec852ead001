"""The launch file of the planner and its parameter file."""

import ast
import re

import yaml

from test.launch.test_imagine_launch import ROOT, declared

LAUNCH_FILE = ROOT / "launch" / "plan.launch.py"


def test_arguments_are_described_and_override_what_the_file_has() -> None:
    text = LAUNCH_FILE.read_text()
    for name, call in declared(ast.parse(text)).items():
        assert {"default_value", "description"} <= {keyword.arg for keyword in call.keywords}, name
    overrides = ast.literal_eval(re.search(r"OVERRIDES = (\{.*?\})", text, re.DOTALL)[1])  # type: ignore[index]
    parameters = yaml.safe_load((ROOT / "config" / "planner.yaml").read_text())["/**/planner"]["ros__parameters"]
    for parameter in overrides.values():
        value = parameters
        for part in parameter.split("."):
            value = value[part]
    assert set(overrides) < set(declared(ast.parse(text)))
    assert '"planner = lingbot_ros.nodes.planner.main:main"' in (ROOT / "setup.py").read_text()
