"""docs/ros_api.md names exactly what the agent node declares, and its file has the defaults."""

import re

import yaml

from lingbot_ros.nodes.agent.parameters import PARAMETERS, config_of
from test.docs.test_tutorials import values_of
from test.nodes.test_documentation import ROOT, section

SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "lingbot_ros" / "nodes" / "agent").glob("*.py")))


def test_every_parameter_with_default_and_meaning() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| (.+) \|$", section("Parameters of the agent"), flags=re.M)
    assert rows == [(p.name, str(p.default), p.description) for p in PARAMETERS]


def test_the_file_has_the_defaults() -> None:
    values = values_of(yaml.safe_load((ROOT / "config" / "agent.yaml").read_text()))
    assert values == {parameter.name: parameter.default for parameter in PARAMETERS}
    config_of(values)


def test_every_topic() -> None:
    documented = set(re.findall(r"^\| (?:in|out) \| `([^`]+)`", section("The node agent"), flags=re.M))
    published = re.findall(r"create_publisher\(\s*\w+, \"([^\"]+)\"", SOURCES)
    subscribed = re.findall(r"^ {16}\(\w+, \"([^\"]+)\", ", SOURCES, flags=re.M)
    assert documented == {*published, *subscribed}
