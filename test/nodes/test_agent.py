"""The agent node over DDS: a model behind an endpoint drives an imagined camera; whatever fails leaves it still."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import TwistStamped
from lifecycle_msgs.msg import Transition
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import String

from lingbot_msgs.msg import FrameInfo
from lingbot_ros.nodes import qos
from test.support.imagination import NodeUnderTest, Probe, image_message, isolated_environment, picture, running_node
from test.support.scripted_endpoint import ScriptedEndpoint, scripted_endpoint
from test.support.tiny_camera import write_tiny_camera_model

WALK = json.dumps({"seen": "a wall", "keys": "w", "seconds": 0.4})


class Agent:
    """The node under test, what it says, and a camera for it."""

    def __init__(self, probe: Probe, node: NodeUnderTest, endpoint: ScriptedEndpoint) -> None:
        self.probe, self.node, self.endpoint = probe, node, endpoint
        self.keys: list[String] = []
        self.velocities: list[TwistStamped] = []
        self.prompts: list[String] = []
        self.decisions: list[String] = []
        for kind, topic, heard in ((String, "keys", self.keys), (TwistStamped, "cmd_vel", self.velocities),
                                   (String, "prompt", self.prompts),
                                   (String, "agent/decision", self.decisions)):  # fmt: skip
            probe.listen(kind, topic, heard)
        self.camera = probe.node.create_publisher(Image, "image_raw", qos.IMAGE)
        probe.node_name = "agent"

    def look(self, until: Any) -> None:
        """Show images until the condition holds."""

        def shown() -> bool:
            self.camera.publish(image_message(picture()))
            return bool(until())

        self.probe.wait(shown)

    def change(self, *numbers: int) -> None:
        for number in numbers:
            assert self.probe.transition(number), self.node.log_text()

    def told(self) -> list[Any]:
        return [json.loads(message.data) for message in list(self.decisions)]


def moved_by_keys(info: FrameInfo) -> bool:
    """Whether keys drive the frame and its camera is ahead of where it started."""
    return info.control_source == FrameInfo.SOURCE_KEYS and info.camera_pose.position.x > 0.05


UP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)


@pytest.fixture
def endpoint() -> Iterator[ScriptedEndpoint]:
    with scripted_endpoint(lambda _: WALK) as server:
        yield server


def given(endpoint: ScriptedEndpoint, **more: object) -> dict[str, object]:
    return {"module": "lingbot_ros.nodes.agent.main", "model": "scripted", "base_url": endpoint.url,
            "image_timeout": 0.5, "answer_timeout": 20.0, **more}  # fmt: skip


def test_it_drives_stops_and_says_why(endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    schedule = tmp_path / "prompts.yaml"
    schedule.write_text("- {time_s: 0, prompt: it rains}\n- {time_s: 0.2, prompt: the rain stops}\n")
    parameters = given(endpoint, pilot__instruction="go", director__schedule=schedule)
    with running_node(tmp_path / "node", **parameters) as (node, probe):  # type: ignore[arg-type]
        agent = Agent(probe, node, endpoint)
        agent.change(*UP)
        probe.wait(lambda: [message.data for message in agent.prompts] == ["it rains", "the rain stops"])
        probe.wait(lambda: "no image on /image_raw for 0.5 s" in node.log_text() and agent.keys)
        assert {message.data for message in agent.keys} == {""} and not endpoint.asked
        agent.look(lambda: len(endpoint.asked) >= 2)
        assert agent.told()[0] == {"seen": "a wall", "commands": ["w"]}
        probe.wait(lambda: {"w", ""} <= {message.data for message in agent.keys})

        endpoint.answer = lambda _: "I would rather not."
        agent.look(lambda: any("error" in said for said in agent.told()))
        assert "no answer that can be used in 2 attempts" in agent.told()[-1]["error"]
        assert agent.keys[-1].data == ""

        endpoint.answer = lambda _: WALK.replace("0.4", "3")
        agent.look(lambda: agent.keys[-1].data == "w")
        agent.change(Transition.TRANSITION_DEACTIVATE)
        probe.wait(lambda: agent.keys[-1].data == "")
        asked = len(endpoint.asked)
        agent.change(Transition.TRANSITION_ACTIVATE)
        agent.look(lambda: len(endpoint.asked) > asked)
        agent.change(Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
        assert node.stop(signal.SIGINT) == 0, node.log_text()


def test_waypoints_become_velocities_and_a_model_directs(endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    ways = {"seen": "", "waypoints": [{"ahead": 0.2, "left": 0.0, "heading": 0.4}], "seconds": 1}
    film = json.dumps({"prompt": "night falls"})
    endpoint.answer = lambda body: (
        film if "You direct" in body["messages"][0]["content"][-1]["text"] else json.dumps(ways)
    )
    parameters = given(endpoint, pilot__instruction="go", pilot__control="waypoints", director__instruction="a day")
    with running_node(tmp_path, **parameters) as (node, probe):  # type: ignore[arg-type]
        agent = Agent(probe, node, endpoint)
        agent.change(*UP)
        agent.look(lambda: agent.prompts and len(agent.velocities) > 5)
        assert agent.prompts[0].data == "night falls"
        twists = [(m.twist.linear.x, m.twist.angular.z) for m in agent.velocities]
        probe.wait(lambda: agent.velocities[-1].twist.linear.x == 0.0)
        assert max(x for x, _ in twists) <= 0.8 + 1e-9 and max(turn for _, turn in twists) == pytest.approx(0.4)
        assert agent.velocities[0].header.frame_id == "base_link"
        assert node.stop(signal.SIGTERM) == 0, node.log_text()


def test_keys_of_the_model_move_an_imagined_camera(endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    model = write_tiny_camera_model(tmp_path / "models")
    with running_node(tmp_path / "imagination", model__name=model, mode="realtime") as (_, probe):
        probe.bring_up()
        agent_parameters = {key.replace("__", "."): value for key, value in given(endpoint).items() if key != "module"}
        domain = {"ROS_DOMAIN_ID": str(probe.context.get_domain_id())}
        node = NodeUnderTest(
            isolated_environment() | domain, {**agent_parameters, "pilot.instruction": "go"}, (), tmp_path / "log",
            "lingbot_ros.nodes.agent.main",
        )  # fmt: skip
        try:
            probe.node_name = "agent"
            for number in UP:
                assert probe.transition(number), node.log_text()
            probe.node_name = "imagination"
            probe.start(session_id="walk")
            # Without an image the agent sends that no key is down; only the model's answer moves the camera ahead.
            probe.wait(lambda: any(moved_by_keys(info) for info in list(probe.infos)))
            assert endpoint.asked
        finally:
            assert node.stop() == 0


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "pilot.instruction"),
        ({"pilot__instruction": "go", "model": '""'}, "model: got an empty text"),
        ({"pilot__instruction": "go", "base_url": "here"}, "base_url"),
        ({"pilot__instruction": "go", "base_url": '""', "model": "/nowhere/vlm"}, "hf download /nowhere/vlm"),
        ({"director__schedule": "/nowhere.yaml"}, "director.schedule"),
    ],
)
def test_what_cannot_be_configured_is_said(
    parameters: dict[str, object], sentence: str, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    """One process for all would be quicker, but these parameters are read at its start."""
    with running_node(tmp_path, **given(endpoint, **parameters)) as (node, probe):  # type: ignore[arg-type]
        probe.node_name = "agent"
        assert not probe.transition(Transition.TRANSITION_CONFIGURE)
        probe.wait(lambda: sentence in node.log_text())
        assert "Traceback" not in node.log_text()


def test_a_frame_that_cannot_be_read_is_no_frame(endpoint: ScriptedEndpoint, tmp_path: Path) -> None:
    with running_node(tmp_path, **given(endpoint, pilot__instruction="go")) as (node, probe):  # type: ignore[arg-type]
        agent = Agent(probe, node, endpoint)
        agent.change(*UP)
        damaged = Image(height=4, width=4, encoding="rgb8", step=12)
        publisher = probe.node.create_publisher(Image, "image_raw", QoSProfile(depth=2))

        def warned() -> bool:
            publisher.publish(damaged)
            return "image_raw refused" in node.log_text()

        probe.wait(warned)
        assert not endpoint.asked
        agent.look(lambda: endpoint.asked)
