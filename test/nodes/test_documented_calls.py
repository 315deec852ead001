"""The `ros2 service call` and `ros2 topic pub` lines of README and docs, sent through rclpy with the same text."""

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from rclpy.qos import QoSProfile

from test.support.imagination import ROOT, Probe, running_node

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINES = [
    line
    for page in PAGES
    for line in re.findall(r"^ros2 (?:service call|topic pub) .*$", page.read_text(encoding="utf-8"), re.MULTILINE)
]


def type_named(name: str) -> Any:
    package, kind, message = name.split("/")
    return getattr(importlib.import_module(f"{package}.{kind}"), message)


def filled(message: Any, text: str) -> Any:
    """As `ros2` fills a message: fields by name, from YAML."""
    values = yaml.safe_load(text) or {}
    assert values.keys() <= message.get_fields_and_field_types().keys()
    for name, value in values.items():
        setattr(message, name, value)
    return message


def words_of(line: str) -> tuple[str, str, str, str]:
    """service or topic, its name, its type, the YAML."""
    _, what, _, *words = shlex.split(line)
    while words[0].startswith("-"):
        words = words[2:]
    name, kind, *text = words
    return what, name, kind, text[0] if text else ""


def send(probe: Probe, line: str) -> None:
    what, name, kind, text = words_of(line)
    if what == "service":
        answer = probe.call(
            type_named(kind), name.removeprefix("/imagination/"), filled(type_named(kind).Request(), text)
        )
        assert answer.error_msg == "", line
        return
    publisher = probe.node.create_publisher(type_named(kind), name, QoSProfile(depth=1))
    probe.wait(lambda: publisher.get_subscription_count() == 1)
    heard = len(probe.imagined())
    publisher.publish(filled(type_named(kind)(), text))
    probe.wait(lambda: len(probe.imagined()) > heard)


def test_there_are_such_lines() -> None:
    assert {words_of(line)[1] for line in LINES} >= {"/imagination/start_session", "/imagination/record", "/action"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_documented_call_is_accepted(tmp_path: Path) -> None:
    with running_node(tmp_path, model__name="pusht-lasting", recording__folder=tmp_path / "bags") as (_, probe):
        probe.bring_up()
        for line in LINES:
            send(probe, line)
    assert (tmp_path / "bags" / "first_try" / "metadata.yaml").is_file()
