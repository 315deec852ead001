"""The world of rooms behind the node, over DDS: prompts as events, and which pixels were seen, painted or unknown."""

from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import String

from lingbot_msgs.srv import ListSessions, StartSession, Step
from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.nodes import qos
from lingbot_ros.world import World
from test.support.imagination import pixels, running_node
from test.support.poses import pose_messages

pytestmark = pytest.mark.model
PATH = script_poses(parse_key_script("l-6"))


def test_prompts_by_request_and_topic_and_the_mask(tmp_path: Path) -> None:
    world = World.load("rooms-small", threads=1)
    session = world.start(world.seed_image(), prompt="dim light")
    with running_node(tmp_path, model__name="rooms-small", mode="lockstep", publish__mask=True) as (_, probe):
        masks: list[Image] = []
        probe.listen(Image, "mask_image", masks)
        prompts = probe.node.create_publisher(String, "prompt", qos.PROMPT)
        probe.bring_up()

        def start(prompt: str) -> str:
            request = StartSession.Request(session_id="a", prompt=prompt)
            return str(probe.call(StartSession, "start_session", request).error_msg)

        refused = start("a dog runs by")
        assert "prompt" in refused and "fog" in refused
        assert start("dim light") == ""

        def step(first: int, **fields: str) -> list[np.ndarray]:
            request = Step.Request(session_id="a", camera_poses=pose_messages(PATH[first : first + 2]), **fields)
            answer = probe.call(Step, "step", request)
            assert answer.error_msg == ""
            return [pixels(image) for image in answer.images]

        def core(first: int) -> list[np.ndarray]:
            poses = [pose_to_camera_to_world(m.pose, "pose") for m in pose_messages(PATH[first : first + 2])]
            return [session.step(pose[None])[0] for pose in poses]

        def alike(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
            return all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(one, other, strict=True))

        assert alike(step(0), core(0))
        session.prompt = "the walls are painted red"
        assert alike(step(2, prompt="the walls are painted red"), core(2))
        session.prompt = ""
        probe.wait(lambda: prompts.get_subscription_count() > 0)
        prompts.publish(String(data=""))
        probe.wait(lambda: probe.call(ListSessions, "list_sessions").sessions[0].prompt == "")
        assert alike(step(4), core(4))
        probe.wait(lambda: len(masks) == 6)
        assert masks[-1].encoding == "mono8"
        mask = np.frombuffer(masks[-1].data, np.uint8).reshape(128, 128)
        assert np.array_equal(mask, session.mask) and 255 in mask and 127 in mask
