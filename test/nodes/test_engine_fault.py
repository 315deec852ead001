"""An engine that breaks in the middle of a chunk: whoever waits is told, and the session goes on as if nothing was."""

from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ErrorCode
from lingbot_msgs.srv import Step
from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.world import World
from test.support.imagination import picture, pixels, running_node
from test.support.poses import pose_messages
from test.support.tiny_camera import write_tiny_camera_model

FIRST, LATER, LONG = 5, 8, 400
PATH = script_poses(parse_key_script(f"w-8,l-16,sj-24,{'w-40,d-40,' * 41}none-1"))


def test_a_fault_in_the_middle_of_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, fault = write_tiny_camera_model(tmp_path / "models"), tmp_path / "fault"
    monkeypatch.setenv("LINGBOT_TEST_FAULT", str(fault))
    faulty = "test.support.faulty_node"
    with running_node(tmp_path, module=faulty, model__name=model, mode="lockstep") as (node, probe):
        probe.bring_up()
        probe.start(session_id="hurt", seed=7)
        poses = pose_messages(PATH[: FIRST + LONG * LATER])
        goal = probe.result(probe.action_client(Imagine).send_goal_async(Imagine.Goal(camera_poses=poses)))
        probe.wait(lambda: len(probe.imagined()) >= FIRST + LATER)
        fault.touch()
        ended = probe.result(goal.get_result_async())
        assert (ended.status, ended.result.error_code) == (GoalStatus.STATUS_ABORTED, ErrorCode.INTERNAL)
        assert "an illegal memory access was encountered" in ended.result.error_msg
        done = ended.result.frames
        assert done % LATER == FIRST and ended.result.session.frame_index == done

        request = Step.Request(camera_poses=poses[done : done + 2 * LATER])
        failed = probe.call(Step, "step", request)
        assert (failed.error_code, len(failed.images), failed.session.frame_index) == (ErrorCode.INTERNAL, 0, done)
        probe.wait(lambda: probe.statuses[-1].error_count == 2)
        assert probe.statuses[-1].last_error_code == ErrorCode.INTERNAL

        fault.unlink()
        healed = probe.call(Step, "step", request)
        assert (healed.error_msg, healed.session.frame_index) == ("", done + 2 * LATER)
        log = node.log_text()
    assert "Traceback" in log and "illegal memory access" in log
    session = World.load(model, threads=1).start(picture(), seed=7)
    path = np.stack([pose_to_camera_to_world(message.pose, "pose") for message in poses])
    while session.frame_index < done:
        first = session.frame_index
        session.step(path[first : first + session.frames_in_next_chunk])
    expected = [session.step(path[done + k * LATER : done + (k + 1) * LATER]) for k in range(2)]
    np.testing.assert_array_equal([pixels(image) for image in healed.images], np.concatenate(expected))
