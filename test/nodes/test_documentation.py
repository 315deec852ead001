"""docs/ros_api.md names exactly what the node declares."""

import re
from pathlib import Path

from lingbot_ros.nodes.imagination.parameters import PARAMETERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ros_api.md").read_text()
SOURCES = "\n".join(
    path.read_text()
    for path in sorted((ROOT / "lingbot_ros" / "nodes").rglob("*.py"))
    if not {"evaluator", "planner"} & set(path.parts)
)


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_parameter_with_its_default_and_meaning() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| (.+) \|$", section("Parameters"), flags=re.MULTILINE)
    assert rows == [(p.name, str(p.default), p.description) for p in PARAMETERS]


def test_every_topic() -> None:
    documented = set(re.findall(r"^\| (?:in|out) \| `([^`]+)`", section("Topics"), flags=re.MULTILINE))
    published = re.findall(r"create(?:_lifecycle_publisher)?\(\s*\w+,\s*\"([^\"]+)\"", SOURCES)
    published += re.findall(r"compressed_twin\(\w+, \"([^\"]+)\"", SOURCES)
    handlers = r"(?:driving|seeding|observing|on_)"
    subscribed = re.findall(rf"^ {{12}}\"([^\"]+)\": \(\w+, {handlers}", SOURCES, flags=re.MULTILINE)
    listened = re.findall(r"\(\"(/tf\w*)\", (?:True|False), qos", SOURCES)
    assert documented == {*published, *subscribed, *listened}


def test_every_service_and_action() -> None:
    documented = set(re.findall(r"^\| `~/([^`]+)`", section("Services and action"), flags=re.MULTILINE))
    offered = set(re.findall(r"^ {12}\"(\w+)\": \(\w+, self\._", SOURCES, flags=re.MULTILINE))
    offered |= set(re.findall(r"create_service\(\s*\w+,\s*\"~/(\w+)\"", SOURCES))
    assert documented == {*offered, "imagine"}
