"""The layouts for Foxglove and RViz name topics, types and fields that the node has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOXGLOVE = sorted((ROOT / "config" / "foxglove").glob("*.json"))
RVIZ = ROOT / "config" / "imagination.rviz"
ROWS = re.findall(r"^\| (?:in|out) \| `([^`]+)` \| (\S+/\w+)", (ROOT / "docs" / "ros_api.md").read_text(), re.MULTILINE)
TOPICS = {f"/{name.lstrip('/')}": kind for name, kind in ROWS}
"""Of the node, as its documentation lists them; another test compares that with the code."""

RVIZ_TYPES = {"Image": "sensor_msgs/Image", "Odometry": "nav_msgs/Odometry"}
# By key of a panel's configuration: the types that the panel shows.
FOXGLOVE_TYPES = {"imageTopic": "sensor_msgs/CompressedImage", "calibrationTopic": "sensor_msgs/CameraInfo"}
FOXGLOVE_TYPES |= {"topicToRender": "diagnostic_msgs/DiagnosticArray"}


def settings(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, however deep."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key, value
            yield from settings(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from settings(item)


def fields_of(kind: str) -> set[str]:
    """Of one of this project's messages."""
    package, name = kind.split("/")
    text = (ROOT / package / "msg" / f"{name}.msg").read_text()
    return set(re.findall(r"^[\w/\[\]]+ +(\w+)(?!\w*=)", text, re.MULTILINE))


@pytest.mark.parametrize("path", FOXGLOVE, ids=lambda path: path.stem)
def test_foxglove_shows_what_the_node_publishes(path: Path) -> None:
    layout = json.loads(path.read_text())
    panels = layout["configById"]
    for key, value in settings(panels):
        if key in FOXGLOVE_TYPES:
            assert TOPICS[value] == FOXGLOVE_TYPES[key]
        elif key in ("topicPath", "value") and isinstance(value, str) and value.startswith("/"):
            topic, _, field = value.partition(".")
            assert not field or field in fields_of(TOPICS[topic]), value
        elif key == "topics":
            assert value.keys() <= TOPICS.keys()
    for name, panel in panels.items():
        if name.startswith("Publish!"):
            assert TOPICS[panel["topicName"]] == panel["datatype"].replace("/msg/", "/")
            assert json.loads(panel["value"])
        if name.startswith("Teleop!"):
            assert panel["topic"] in TOPICS
        if name.startswith("CallService!"):
            assert panel["serviceName"] == "/imagination/start_session"
    assert arranged(layout["layout"]) == sorted(panels), "each panel has one place"


def arranged(place: Any) -> list[str]:
    if isinstance(place, str):
        return [place]
    return sorted([*arranged(place["first"]), *arranged(place["second"])])


def test_rviz_shows_what_the_node_publishes() -> None:
    displays = yaml.safe_load(RVIZ.read_text())["Visualization Manager"]["Displays"]
    named = [display for display in displays if "Topic" in display]
    assert {display["Topic"]["Value"] for display in named} == {"/image_raw", "/odom"}
    for display in named:
        assert TOPICS[display["Topic"]["Value"]] == RVIZ_TYPES[display["Class"].split("/")[1]]
        assert display["Topic"]["Reliability Policy"] == "Reliable", "as the node publishes"


def test_a_field_that_is_not_there_is_found_out() -> None:
    assert "trust" in fields_of("lingbot_msgs/FrameInfo")
    assert not {"believe", "KIND_SEED"} & fields_of("lingbot_msgs/FrameInfo")
