"""Several imagination nodes: two in one process, and two processes side by side under namespaces."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rclpy.qos import QoSProfile

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_msgs.srv import StartSession
from test.support.domains import take_domain
from test.support.imagination import (
    PATIENCE_S,
    ROOT,
    Probe,
    image_message,
    isolated_environment,
    picture,
    running_node,
)

EXAMPLE = ROOT / "docs" / "examples" / "two_worlds.py"


def drive(probe: Probe, namespace: str, infos: list[FrameInfo]) -> None:
    """Start a session in one namespace and drive it until its frames come."""
    probe.namespace = f"{namespace}/"
    request = StartSession.Request(session_id=namespace, image=image_message(picture(96)))
    assert probe.call(StartSession, "start_session", request).error_msg == ""
    publisher = probe.node.create_publisher(RobotAction, f"{namespace}/action", QoSProfile(depth=1))
    probe.wait(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(RobotAction(values=[256.0, 256.0]))
    probe.wait(lambda: any(info.frame_index > 2 for info in infos))
    assert {info.session_id for info in infos} == {namespace}


def test_two_nodes_live_in_one_process_and_imagine_apart(tmp_path: Path) -> None:
    environment = isolated_environment()
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen([sys.executable, EXAMPLE], env=environment, stdout=file, stderr=subprocess.STDOUT)
    probe = Probe(int(environment["ROS_DOMAIN_ID"]))
    try:
        heard: dict[str, list[FrameInfo]] = {"left": [], "right": []}
        statuses: list[ImaginationStatus] = []
        for namespace, infos in heard.items():
            probe.listen(FrameInfo, f"{namespace}/frame_info", infos)
            probe.listen(ImaginationStatus, f"{namespace}/status", statuses)
        probe.wait(lambda: "/right/imagination is active" in log.read_text())
        for namespace, infos in heard.items():
            drive(probe, namespace, infos)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0, log.read_text()
    finally:
        probe.close()
        process.kill()


def test_two_processes_under_namespaces_do_not_hear_each_other(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = take_domain()
    monkeypatch.setattr("test.support.imagination.take_domain", lambda: shared)
    monkeypatch.setattr("test.support.imagination.give_back", lambda domain: None)
    with (
        running_node(tmp_path / "a", extra=["-r", "__ns:=/left"], model__name=model) as (_, left),
        running_node(tmp_path / "b", extra=["-r", "__ns:=/right"], model__name=model) as (_, right),
    ):
        for probe, namespace in ((left, "left"), (right, "right")):
            probe.namespace = f"{namespace}/"
            assert probe.transition(1)
            assert probe.transition(3)
        for probe, namespace in ((left, "left"), (right, "right")):
            infos: list[FrameInfo] = []
            probe.listen(FrameInfo, f"{namespace}/frame_info", infos)
            drive(probe, namespace, infos)
