"""Models that see keys beside each pose, and models without a camera, behind the real node and in `lingbot imagine`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from numpy.typing import NDArray

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import RobotAction
from lingbot_msgs.srv import Step
from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.control.keys import move_keys, parse_key_script, script_poses
from lingbot_ros.control.motion import with_keys
from lingbot_ros.world import World
from test.nodes.test_imagine_camera import imagine
from test.support.imagination import Probe, image_message, picture, pixels, running_node
from test.support.poses import pose_messages
from test.support.tiny_camera import FOUR_STEPS, write_tiny_camera_model

SCRIPT = parse_key_script("w-2,wl-4,sd-6")
PATH, KEYS = script_poses(SCRIPT), move_keys(SCRIPT)
IMAGE = picture(48)[:32]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"), "keyed", FOUR_STEPS.one_step(), channels=7)


@pytest.fixture(scope="module")
def world(model: Path) -> World:
    return World.load(model, threads=1)


@pytest.fixture(scope="module")
def probe(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    with running_node(tmp_path_factory.mktemp("node"), model__name=model, mode="lockstep") as (_, client):
        client.bring_up()
        yield client


def as_sent(path: NDArray[np.float64], keys: NDArray[np.float64]) -> NDArray[np.float64]:
    poses = [pose_to_camera_to_world(message.pose, "pose") for message in pose_messages(path)]
    return np.stack([with_keys(pose, row) for pose, row in zip(poses, keys, strict=True)])


def actions(keys: NDArray[np.float64]) -> list[RobotAction]:
    return [RobotAction(values=row) for row in keys.tolist()]


def start(probe: Probe, session_id: str) -> None:
    answer = probe.start(session_id=session_id, seed=3, prompt="snow", image=image_message(IMAGE))
    assert answer.error_msg == ""


def test_poses_and_keys_of_messages_reach_the_network(probe: Probe, world: World) -> None:
    start(probe, "keys")
    request = Step.Request(camera_poses=pose_messages(PATH[:5]), actions=actions(KEYS[:5]))
    first = probe.call(Step, "step", request)
    assert first.error_msg == ""
    assert [list(info.control) for info in first.frames] == KEYS[:5].tolist()
    feedback: list[Any] = []
    goal = Imagine.Goal(camera_poses=pose_messages(PATH[5:13]), actions=actions(KEYS[5:13]), return_images=True)
    sent = probe.action_client(Imagine).send_goal_async(goal, lambda message: feedback.append(message.feedback))
    assert probe.result(probe.result(sent).get_result_async()).result.frames == 8
    probe.wait(lambda: feedback)
    session = world.start(IMAGE, prompt="snow", seed=3)
    lens = world.start(IMAGE, intrinsics=[500 * 48 / 832, 500 * 32 / 480, 24, 16]).lens
    assert session.lens == lens
    np.testing.assert_array_equal([pixels(image) for image in first.images], session.step(as_sent(PATH[:5], KEYS[:5])))
    expected = session.step(as_sent(PATH[5:13], KEYS[5:13]))
    np.testing.assert_array_equal([pixels(image) for image in feedback[0].images], expected)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (KEYS[:0], "actions, camera_poses: got 0 and 5; this model takes a pose and an action"),
        (KEYS[:4], "got 4 and 5"),
        (KEYS[:5] * 0.5, r"actions[0].values: got [0.5, 0.0, 0.0, 0.0]; give w, a, s, d: 1 if pressed, else 0"),
    ],
    ids=["none", "too few", "half"],
)
def test_keys_that_do_not_fit_are_one_sentence(probe: Probe, keys: NDArray[np.float64], message: str) -> None:
    start(probe, "refused")
    request = Step.Request(camera_poses=pose_messages(PATH[:5]), actions=actions(keys))
    assert message in probe.call(Step, "step", request).error_msg


def test_velocities_press_the_keys_of_their_direction(probe: Probe) -> None:
    start(probe, "driven")
    publisher = probe.node.create_publisher(TwistStamped, "cmd_vel", 10)
    probe.wait(lambda: publisher.get_subscription_count() == 1)
    for forward, left in ((0.8, 0.0), (0.8, -0.4), (-0.8, 0.0), (0.0, 0.4), (0.0, 0.0)):
        message = TwistStamped()
        message.twist.linear.x, message.twist.linear.y = forward, left
        publisher.publish(message)
    probe.wait(lambda: len(probe.imagined("driven")) == 5)
    pressed = [[1, 0, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert [list(info.control) for info in probe.imagined("driven")] == pressed
    assert probe.imagined("driven")[0].camera_pose.position.x == pytest.approx(0.05)


def film(model: Path, folder: Path, *words: object) -> tuple[dict[str, Any], NDArray[np.uint8]]:
    """The summary of `lingbot imagine` and its last image."""
    cv2.imwrite(str(folder / "first.png"), IMAGE[:, :, ::-1])
    options = ["--image", folder / "first.png", "--prompt", "snow", "--seed", 3, "--size", "48x32", "--threads", 1]
    done = imagine(["--model", model, *options, *words, "--out", folder / "out"], folder)
    assert done.returncode == 0, done.stderr
    shown = cv2.imread(str(folder / "out" / "latest.png"))
    assert shown is not None
    factor = shown.shape[0] // 32
    return json.loads((folder / "out" / "summary.json").read_text()), shown[::factor, ::factor, ::-1]


def test_the_keys_of_a_script_reach_the_network(model: Path, world: World, tmp_path: Path) -> None:
    summary, last = film(model, tmp_path, "--keys", "w-2,wl-4,sd-6")
    assert summary["frames_received"] == 13
    session = world.start(IMAGE, prompt="snow", seed=3)
    for frames in (slice(5), slice(5, 13)):
        expected = session.step(as_sent(PATH[frames], KEYS[frames]))
    np.testing.assert_array_equal(last, expected[-1])


def test_a_film_without_a_camera_needs_no_poses(model: Path, tmp_path: Path) -> None:
    summary, last = film(model, tmp_path, "--text-only", "--frames", "13")
    assert (summary["frames_received"], summary["trajectory"]) == (13, "none")
    session = World.load(model, threads=1, text_only=True).start(IMAGE, prompt="snow", seed=3)
    session.step(np.tile(np.eye(4), (5, 1, 1)))
    np.testing.assert_array_equal(last, session.step(PATH[5:13])[-1])  # whatever the poses
