"""A camera model behind the node, over DDS: poses and lens in, the core's own frames out, and what is told of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rosbags.rosbag2 import Reader
from sensor_msgs.msg import CameraInfo, Image

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ErrorCode, FrameInfo, PromptEvent, RobotAction
from lingbot_msgs.srv import ForkSession, Record, RestoreSession, SaveSession, StartSession, Step
from lingbot_ros.bridge.cameras import camera_to_world_to_pose, pose_to_camera_to_world
from lingbot_ros.cli.main import main
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.world import MemoryOptions, Session, World
from test.support.imagination import Probe, image_message, picture, pixels, running_node
from test.support.poses import pose_messages
from test.support.tiny_camera import HEIGHT, WIDTH_PX, write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder

PATH = script_poses(parse_key_script("w-8,wl-24,i-8,sj-24,none-16"))
IMAGE = picture(64, seed=4)[:48]  # 48 x 64: stretched to 32 x 48
ELSEWHERE = np.array([[0.0, 0, 1, 50], [0, 1, 0, -20], [-1, 0, 0, 3], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def world(model: Path) -> World:
    return World.load(model, threads=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def client(model: Path, folder: Path) -> Iterator[Probe]:
    with running_node(folder, model__name=model, mode="lockstep", limits__sessions=64) as (_, probe):
        probe.camera_infos = []
        probe.listen(CameraInfo, "camera_info", probe.camera_infos)
        probe.bring_up()
        yield probe


@pytest.fixture
def probe(client: Probe) -> Probe:
    for heard in (client.images, client.infos, client.camera_infos):
        heard.clear()
    return client


def camera_info(fx: float, fy: float, cx: float, cy: float) -> CameraInfo:
    """Of IMAGE, in ROS pixels."""
    return CameraInfo(height=48, width=64, k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0])


def start(probe: Probe, session_id: str, **fields: Any) -> Any:
    request = {"seed": 7, "prompt": "a red house", "image": image_message(IMAGE), "session_id": session_id}
    answer = probe.start(**{**request, **fields})
    assert answer.error_msg == ""
    return answer.session


def step(probe: Probe, session_id: str, path: NDArray[np.float64], **fields: Any) -> list[NDArray[np.uint8]]:
    answer = probe.call(Step, "step", Step.Request(session_id=session_id, camera_poses=pose_messages(path), **fields))
    assert answer.error_msg == ""
    return [pixels(image) for image in answer.images]


def as_received(path: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([pose_to_camera_to_world(message.pose, "pose") for message in pose_messages(path)])


def drive(session: Session, path: NDArray[np.float64]) -> NDArray[np.uint8]:
    frames, first = [], 0
    while first < len(path):
        count = session.frames_in_next_chunk
        frames.append(session.step(path[first : first + count]))
        first += count
    return np.concatenate(frames)


def test_steps_give_the_core_frames_with_the_lens_and_poses_that_were_used(probe: Probe, world: World) -> None:
    lens = (50.0, 60.0, 31.0, 24.5)  # ROS pixels of the image
    start(probe, "cam", camera_info=camera_info(*lens))
    frames = step(probe, "cam", PATH[:13])
    session = world.start(IMAGE, prompt="a red house", intrinsics=(50, 60, 31.5, 25), seed=7)
    np.testing.assert_array_equal(frames, drive(session, as_received(PATH[:13])))
    probe.wait(lambda: len(probe.infos) == 14 and len(probe.camera_infos) == 14)
    assert all(info.has_camera_pose for info in probe.infos)
    assert {info.control_source for info in probe.imagined()} == {FrameInfo.SOURCE_SERVICE}
    told = [pose_to_camera_to_world(info.camera_pose, "pose") for info in probe.imagined()]
    np.testing.assert_allclose(told, PATH[:13], atol=1e-12)
    # Stretched by 48/64 and 32/48 about the image's upper left corner, which ROS has at (-0.5, -0.5).
    expected = [37.5, 0, 31.5 * 0.75 - 0.5, 0, 40, 25 * 2 / 3 - 0.5, 0, 0, 1]
    for message in probe.camera_infos:
        np.testing.assert_allclose(message.k, expected)
        assert (message.height, message.width) == (HEIGHT, WIDTH_PX)
    session.close()


def test_a_lens_that_nobody_gave_is_the_configured_one_and_is_told(probe: Probe, world: World) -> None:
    session = start(probe, "default")
    expected = np.array([500 * WIDTH_PX / 832, 500 * HEIGHT / 480, WIDTH_PX / 2 - 0.5, HEIGHT / 2 - 0.5])
    np.testing.assert_allclose(np.array(session.camera_info.k)[[0, 4, 2, 5]], expected)
    twin = world.start(IMAGE, prompt="a red house", seed=7)
    np.testing.assert_array_equal(step(probe, "default", PATH[:5]), drive(twin, as_received(PATH[:5])))
    twin.close()


def test_where_a_session_begins_is_told_and_only_motion_counts(probe: Probe) -> None:
    start(probe, "here")
    usual = step(probe, "here", PATH[:13])
    begin = ELSEWHERE @ PATH[0]
    start(probe, "there", start_pose=camera_to_world_to_pose(begin))
    probe.wait(lambda: any(info.session_id == "there" for info in probe.infos))
    (first,) = [info for info in probe.infos if info.session_id == "there"]
    assert (first.kind, first.has_camera_pose) == (FrameInfo.KIND_SEED, True)
    np.testing.assert_allclose(pose_to_camera_to_world(first.camera_pose, "pose"), begin, atol=1e-12)
    difference = np.array(step(probe, "there", ELSEWHERE @ PATH[:13])).astype(int) - usual
    assert np.abs(difference).max() <= 1


def test_a_goal_streams_a_trajectory_and_a_prompt(probe: Probe, world: World) -> None:
    start(probe, "goal")
    step(probe, "goal", PATH[:5])
    goal = Imagine.Goal(camera_poses=pose_messages(PATH[5:29]), prompt="snow", return_images=True)
    heard: list[Any] = []
    sent = probe.action_client(Imagine).send_goal_async(goal, lambda message: heard.append(message.feedback))
    answer = probe.result(probe.result(sent).get_result_async())
    assert (answer.result.error_msg, answer.result.frames, answer.result.session.prompt) == ("", 24, "snow")
    probe.wait(lambda: len(heard) == 3)
    twin = world.start(IMAGE, prompt="a red house", seed=7)
    drive(twin, as_received(PATH[:5]))
    twin.prompt = "snow"
    expected = drive(twin, as_received(PATH[5:29]))
    np.testing.assert_array_equal([pixels(image) for message in heard for image in message.images], expected)
    twin.close()


def test_fork_save_and_another_process_continue_bit_for_bit(
    probe: Probe, model: Path, folder: Path, tmp_path: Path
) -> None:
    """The other process also learns lineage, lens, stamps and what is real; nothing of it is in the request."""
    start(probe, "trunk", camera_info=camera_info(50.0, 60.0, 31.0, 24.5), start_pose=camera_to_world_to_pose(PATH[0]))
    step(probe, "trunk", PATH[:13])
    fork = ForkSession.Request(session_id="trunk", new_session_id="branch", activate=True)
    assert probe.call(ForkSession, "fork_session", fork).error_msg == ""
    step(probe, "branch", PATH[13:21], prompt="snow")
    saved = probe.call(SaveSession, "save_session", SaveSession.Request(path="b.safetensors"))
    assert saved.error_msg == ""
    straight = probe.call(Step, "step", Step.Request(camera_poses=pose_messages(PATH[21:37])))
    snapshots = folder / "snapshots"
    with running_node(tmp_path, model__name=model, mode="lockstep", snapshots__folder=snapshots) as (_, other):
        other.bring_up()
        restored = other.call(
            RestoreSession, "restore_session", RestoreSession.Request(path="b.safetensors", session_id="again")
        )
        assert restored.error_msg == ""
        again = other.call(Step, "step", Step.Request(camera_poses=pose_messages(PATH[21:37])))
    for frame, expected in zip(again.images, straight.images, strict=True):
        assert frame == expected  # pixels, stamps and all
    for info, expected in zip(again.frames, straight.frames, strict=True):
        for name in ("header", "parent_id", "branch_frame", "seed", "prompt", "frame_index", "chunk_index",
                     "frames_since_real", "camera_pose"):  # fmt: skip
            assert getattr(info, name) == getattr(expected, name), name
    session = restored.session
    assert (session.session_id, session.parent_id, session.branch_frame) == ("again", "trunk", 13)
    assert session.start_stamp == saved.session.start_stamp
    np.testing.assert_array_equal(session.camera_info.k, saved.session.camera_info.k)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"camera_poses": pose_messages(PATH[:4])}, "controls: got 4 controls; give one per frame of whole chunks: 5"),
        ({"actions": [RobotAction(values=[1.0])]}, "actions: this model is driven by camera poses, not actions"),
        ({"camera_poses": pose_messages(np.full((5, 4, 4), np.nan))}, "camera_poses[0].pose.position: got [nan"),
        ({"camera_poses": pose_messages(PATH[:5], frame_id="odom")}, "camera_poses[0].header.frame_id: got 'odom'"),
    ],
    ids=["part of a chunk", "actions", "nan", "frame"],
)
def test_what_cannot_drive_a_camera_is_one_sentence(probe: Probe, fields: dict[str, Any], message: str) -> None:
    start(probe, "sound")
    answer = probe.call(Step, "step", Step.Request(session_id="sound", **fields))
    assert answer.error_code in (ErrorCode.INVALID_INPUT, ErrorCode.UNSUPPORTED)
    assert answer.error_msg.startswith(message)
    assert len(step(probe, "sound", PATH[:5])) == 5


def test_images_without_a_lens_can_be_refused(model: Path, tmp_path: Path) -> None:
    settings = {"camera.intrinsics": "[0.0, 0.0, 0.0, 0.0]", "input.start_on_image": True}
    with running_node(tmp_path, model__name=model, **settings) as (_, probe):
        probe.bring_up()
        refused = probe.call(StartSession, "start_session", StartSession.Request(image=image_message(IMAGE)))
        message = (
            "camera_info.k: got unknown intrinsics; "
            "give a camera_info with fx > 0, or set the parameter camera.intrinsics"
        )
        assert (refused.error_code, refused.error_msg) == (ErrorCode.INVALID_INPUT, message)
        publisher = probe.node.create_publisher(Image, "seed_image", 2)
        probe.wait(publisher.get_subscription_count)
        publisher.publish(image_message(IMAGE))
        probe.wait(lambda: probe.statuses[-1].last_error_msg == message and probe.statuses[-1].error_count == 2)
        assert start(probe, "given", camera_info=camera_info(50.0, 60.0, 31.0, 24.5)).active


def test_a_recorded_camera_session_is_imagined_again(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a lens and a start of its own and a new prompt on the way; odometry stands in the bag, too."""
    with running_node(tmp_path, model__name=model, mode="lockstep", recording__folder=tmp_path / "bags") as (_, probe):
        probe.bring_up()
        assert probe.call(Record, "record", Record.Request(record=True, path="walk")).error_msg == ""
        pose = camera_to_world_to_pose(ELSEWHERE)
        start(probe, "walk", camera_info=camera_info(70.0, 71.0, 30.0, 25.0), start_pose=pose)
        count = len(step(probe, "walk", PATH[:13]))
        count += len(step(probe, "walk", PATH[13:21], prompt="it starts to rain"))
        probe.wait(lambda: len(probe.imagined("walk")) == count)
        assert probe.call(Record, "record", Record.Request(record=False)).error_msg == ""
    code = main(["replay", str(tmp_path / "bags" / "walk"), "--model", str(model)])
    printed = capsys.readouterr().out
    assert f"walk: {count} frames imagined again, all bit-identical" in printed
    assert code == 0
    with Reader(tmp_path / "bags" / "walk") as bag:
        assert {connection.topic for connection in bag.connections} >= {"/odom", "/image_raw"}


def test_a_node_with_options_for_its_model(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They reach the world, and a recording says that they did, and which unit step there was."""
    light = write_light_decoder(tmp_path)
    options = {
        "camera__unit_step": 0.35,
        "model__light_decoder": light,
        "model__memory": 6,
        "model__size": "64x32",
        "model__one_step": True,
        "model__window": 8,
        "model__prompt_policy": "recompute",
        "recording__folder": tmp_path / "bags",
    }
    memory = MemoryOptions.of_places(6)
    world = World.load(
        model, threads=1, light_decoder=light, memory=memory, size=(32, 64), one_step=True, window=8,
        prompt_policy="recompute",
    )  # fmt: skip
    with running_node(tmp_path, model__name=model, mode="lockstep", **options) as (_, probe):
        probe.bring_up()
        assert probe.call(Record, "record", Record.Request(record=True, path="light")).error_msg == ""
        start(probe, "light", camera_info=camera_info(70.0, 71.0, 30.0, 25.0))
        count = len(step(probe, "light", PATH[:13]))
        count += len(step(probe, "light", PATH[13:21], prompt="it starts to rain"))
        probe.wait(lambda: probe.statuses[-1].session_memory == world.info.session_bytes)
        probe.wait(lambda: len(probe.imagined("light")) == count)
        assert probe.call(Record, "record", Record.Request(record=False)).error_msg == ""
    again = ["replay", str(tmp_path / "bags" / "light")]
    assert main(again) == 0
    assert "all bit-identical" in capsys.readouterr().out
    assert main([*again, "--prompt-policy", "keep"]) == 1
    assert "first difference at frame " in capsys.readouterr().out
    assert main([*again, "--light-decoder", ""]) == 1
    assert "first difference at frame 1 " in capsys.readouterr().out


def imagine(probe: Probe, session_id: str, path: NDArray[np.float64], **fields: Any) -> tuple[Any, list[Any]]:
    """The result of a goal, and its frames as messages."""
    goal = Imagine.Goal(session_id=session_id, camera_poses=pose_messages(path), return_images=True, **fields)
    feedback: list[Any] = []
    sent = probe.action_client(Imagine).send_goal_async(goal, lambda message: feedback.append(message.feedback))
    result = probe.result(probe.result(sent).get_result_async()).result
    probe.wait(lambda: sum(len(chunk.frames) for chunk in feedback) == result.frames)
    return result, [pair for chunk in feedback for pair in zip(chunk.frames, chunk.images, strict=True)]


def test_prompts_change_in_the_course_of_a_goal(probe: Probe, world: World) -> None:
    """An event is in force from the chunk that its frame lies in; an empty one gives the first prompt back."""
    start(probe, "told")
    events = [PromptEvent(frame=frame, prompt=text) for frame, text in ((8, "snow"), (20, "night falls"), (21, ""))]
    result, frames = imagine(probe, "told", PATH[:37], prompts=events)
    assert (result.error_msg, result.frames, result.session.prompt) == ("", 37, "a red house")
    used = ["a red house"] * 5 + ["snow"] * 8 + ["night falls"] * 8 + ["a red house"] * 16
    assert [info.prompt for info, _ in frames] == used
    session = world.start(IMAGE, prompt="a red house", seed=7)
    for first, end in ((0, 5), (5, 13), (13, 21), (21, 29), (29, 37)):
        session.prompt = used[first]
        expected = session.step(as_received(PATH[first:end]))
        np.testing.assert_array_equal([pixels(image) for _, image in frames[first:end]], expected)


def test_the_last_prompt_of_a_goal_stays_and_a_new_goal_begins_with_it(probe: Probe) -> None:
    start(probe, "stays")
    snow = [PromptEvent(frame=5, prompt="snow")]
    result, _ = imagine(probe, "stays", PATH[:13], prompt="night falls", prompts=snow)
    assert (result.frames, result.session.prompt) == (13, "snow")
    back = [PromptEvent(frame=0, prompt="rain"), PromptEvent(frame=8, prompt="")]
    result, frames = imagine(probe, "stays", PATH[13:29], prompts=back)
    assert [info.prompt for info, _ in frames] == ["rain"] * 8 + ["snow"] * 8


def test_an_image_of_another_aspect_is_told_with_the_size_to_set(probe: Probe, folder: Path) -> None:
    """The frames, their camera_info and snapshots keep the node's size."""
    session = start(probe, "stretched")
    assert (session.camera_info.height, session.camera_info.width) == (HEIGHT, WIDTH_PX)
    probe.wait(lambda: probe.camera_infos and probe.images)
    assert (probe.camera_infos[-1].height, probe.images[-1].height) == (HEIGHT, HEIGHT)
    note = "the image of 64x48 is stretched to 48x32: what it shows becomes 1.12 times too high; set model.fit to crop"
    assert note in (folder / "node.log").read_text()


@pytest.mark.parametrize("frames", [(3, 3), (8, 5), (13,)], ids=["twice", "backwards", "beyond the end"])
def test_prompts_out_of_order_are_refused(probe: Probe, frames: tuple[int, ...]) -> None:
    start(probe, "orderly")
    events = [PromptEvent(frame=frame, prompt="snow") for frame in frames]
    goal = Imagine.Goal(camera_poses=pose_messages(PATH[:13]), prompts=events)
    assert not probe.result(probe.action_client(Imagine).send_goal_async(goal)).accepted
