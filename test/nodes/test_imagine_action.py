"""The action ~/imagine: every goal ends once, the session stands at the last whole chunk."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from action_msgs.msg import GoalStatus

from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import ErrorCode, FrameInfo, RobotAction
from lingbot_msgs.srv import ListSessions, Step
from lingbot_ros.world import World
from test.support.imagination import Probe, isolated_environment, picture, pixels

ACTIONS = np.random.default_rng(5).uniform(0, 512, (30, 2))
LONG = 20_000


def goal(count: int, **fields: Any) -> Imagine.Goal:
    actions = [RobotAction(id=k + 1, values=ACTIONS[k % 30]) for k in range(count)]
    return Imagine.Goal(actions=actions, **fields)


def frame_index(probe: Probe, session_id: str) -> int:
    sessions = {s.session_id: s for s in probe.call(ListSessions, "list_sessions").sessions}
    return int(sessions[session_id].frame_index)


def test_frames_come_in_feedback_and_on_the_topics(probe: Probe, model: Path) -> None:
    probe.start(session_id="whole", seed=2)
    feedback: list[Any] = []
    client = probe.action_client(Imagine)
    sent = client.send_goal_async(goal(30, return_images=True), lambda message: feedback.append(message.feedback))
    handle = probe.result(sent)
    answer = probe.result(handle.get_result_async())
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_SUCCEEDED, 0)
    assert (answer.result.frames, answer.result.session.frame_index) == (30, 30)
    probe.wait(lambda: len(probe.imagined("whole")) == 30)
    assert [info.control_id for info in probe.imagined("whole")] == list(range(1, 31))
    assert {info.control_source for info in probe.imagined("whole")} == {FrameInfo.SOURCE_GOAL}
    probe.wait(lambda: len(feedback) == 30)
    assert [message.frames_done for message in feedback] == list(range(1, 31))
    session = World.load(model, threads=1).start(picture(), seed=2)
    for message, values in zip(feedback, ACTIONS, strict=True):
        np.testing.assert_array_equal(pixels(message.images[0]), session.step(values[None])[0])


def test_cancel_gives_a_partial_result(probe: Probe) -> None:
    probe.start(session_id="canceled")
    handle = probe.result(probe.action_client(Imagine).send_goal_async(goal(LONG)))
    probe.wait(lambda: len(probe.imagined("canceled")) > 3)
    probe.result(handle.cancel_goal_async())
    answer = probe.result(handle.get_result_async())
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_CANCELED, ErrorCode.CANCELED)
    assert 3 < answer.result.frames < LONG
    assert frame_index(probe, "canceled") == answer.result.frames


def test_a_second_goal_needs_preempt(probe: Probe) -> None:
    probe.start(session_id="busy")
    client = probe.action_client(Imagine)
    first = probe.result(client.send_goal_async(goal(LONG)))
    assert first.accepted
    assert not probe.result(client.send_goal_async(goal(3))).accepted
    second = probe.result(client.send_goal_async(goal(3, preempt=True)))
    aborted = probe.result(first.get_result_async())
    assert (aborted.status, aborted.result.error_code) == (GoalStatus.STATUS_ABORTED, ErrorCode.PREEMPTED)
    done = probe.result(second.get_result_async())
    assert (done.status, done.result.frames) == (GoalStatus.STATUS_SUCCEEDED, 3)
    assert frame_index(probe, "busy") == aborted.result.frames + 3


def test_a_goal_on_a_fork_leaves_the_session(probe: Probe) -> None:
    probe.start(session_id="kept")
    handle = probe.result(probe.action_client(Imagine).send_goal_async(goal(5, on_fork=True)))
    answer = probe.result(handle.get_result_async())
    assert (answer.result.frames, answer.result.session.parent_id) == (5, "kept")
    assert frame_index(probe, "kept") == 0
    assert probe.imagined("kept") == []


def test_a_session_that_is_replaced_ends_its_goal(probe: Probe) -> None:
    probe.start(session_id="replaced")
    handle = probe.result(probe.action_client(Imagine).send_goal_async(goal(LONG)))
    probe.wait(lambda: probe.imagined("replaced"))
    probe.start(session_id="replaced")
    answer = probe.result(handle.get_result_async())
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, ErrorCode.SESSION_CLOSED)


@pytest.mark.parametrize(
    "bad",
    [Imagine.Goal(), Imagine.Goal(actions=[RobotAction(values=[float("nan"), 0.0])])],
    ids=["nothing", "nan"],
)
def test_what_can_never_work_is_rejected(probe: Probe, bad: Imagine.Goal) -> None:
    probe.start(session_id="alive")
    assert not probe.result(probe.action_client(Imagine).send_goal_async(bad)).accepted


def test_an_unknown_session_aborts(probe: Probe) -> None:
    handle = probe.result(probe.action_client(Imagine).send_goal_async(goal(1, session_id="nobody")))
    answer = probe.result(handle.get_result_async())
    assert (answer.status, answer.result.error_code) == (GoalStatus.STATUS_ABORTED, ErrorCode.UNKNOWN_SESSION)


CLIENT = """
import sys, rclpy
from rclpy.action import ActionClient
from lingbot_msgs.action import Imagine
from lingbot_msgs.msg import RobotAction
rclpy.init(domain_id=int(sys.argv[1]))
node = rclpy.create_node("doomed")
client = ActionClient(node, Imagine, "imagination/imagine")
assert client.wait_for_server(60)
sent = client.send_goal_async(Imagine.Goal(actions=[RobotAction(values=[1.0, 2.0]) for _ in range(int(sys.argv[2]))]))
rclpy.spin_until_future_complete(node, sent)
print("accepted" if sent.result().accepted else "rejected", flush=True)
rclpy.spin(node)
"""


def test_a_client_killed_in_the_middle_harms_nothing(probe: Probe) -> None:
    probe.start(session_id="orphan")
    domain = str(probe.context.get_domain_id())
    command = [sys.executable, "-c", textwrap.dedent(CLIENT), domain, "120"]
    with subprocess.Popen(command, env=isolated_environment(), stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline().strip() == "accepted"
        probe.wait(lambda: len(probe.imagined("orphan")) > 2)
        doomed.kill()
    probe.wait(lambda: len(probe.imagined("orphan")) == 120)
    answer = probe.call(Step, "step", Step.Request(actions=[RobotAction(values=[1.0, 2.0])]))
    assert (answer.error_code, answer.session.frame_index) == (0, 121)


@pytest.mark.slow
def test_a_result_can_be_asked_for_after_a_quarter_of_a_minute(probe: Probe) -> None:
    """rclpy forgets it after ten seconds by itself. The pause is what is tested."""
    probe.start(session_id="late")
    handle = probe.result(probe.action_client(Imagine).send_goal_async(goal(3)))
    probe.wait(lambda: len(probe.imagined("late")) == 3)
    time.sleep(15)
    answer = probe.result(handle.get_result_async())
    assert (answer.status, answer.result.frames) == (GoalStatus.STATUS_SUCCEEDED, 3)
