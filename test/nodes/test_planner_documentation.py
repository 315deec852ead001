"""docs/ros_api.md names exactly what the planner node declares, and its file has the defaults."""

import re

import yaml

from lingbot_ros.nodes.planner.parameters import PARAMETERS, config_of
from test.docs.test_tutorials import values_of
from test.nodes.test_documentation import ROOT, section

SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "lingbot_ros" / "nodes" / "planner").glob("*.py")))


def test_every_parameter_of_its_own_with_default_and_meaning() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| (.+) \|$", section("Parameters of the planner"), flags=re.M)
    mine = [parameter for parameter in PARAMETERS if not parameter.name.startswith("model.")]
    assert rows == [(p.name, str(p.default), p.description) for p in mine]


def test_the_file_has_the_defaults() -> None:
    values = values_of(yaml.safe_load((ROOT / "config" / "planner.yaml").read_text()))
    defaults = {parameter.name: parameter.default for parameter in PARAMETERS}
    assert values.items() <= defaults.items()
    config_of({**defaults, **values})


def test_every_topic_service_and_action() -> None:
    documented = set(re.findall(r"^\| (?:in|out) \| `([^`]+)`", section("The node planner"), flags=re.M))
    published = re.findall(r"(?:create|lifecycle_publisher)\(\s*\w+, \"([^\"]+)\"", SOURCES)
    subscribed = re.findall(r"^ {16}\(\w+, \"([^\"]+)\", ", SOURCES, flags=re.M)
    assert documented == {*published, *subscribed}
    offered = re.findall(r"\"(~/\w+)\"", SOURCES)
    named = re.findall(r"^\| `(~/[^`]+)`", section("The node planner"), flags=re.M)
    assert set(named) == set(offered) - documented
