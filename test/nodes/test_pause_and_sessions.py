"""Pausing without the simulator, and several sessions stepped in one call."""

from pathlib import Path

import numpy as np

from lingbot_msgs.msg import ErrorCode, ImaginationStatus, RobotAction, SessionControls
from lingbot_msgs.srv import ForkSession, SetPaused, Step, StepSessions
from test.support.imagination import NodeUnderTest, Probe, running_node


def controls(*values: float) -> SessionControls:
    return SessionControls(actions=[RobotAction(values=list(values))])


def step_sessions(probe: Probe, ids: list[str], given: list[SessionControls], **fields: bool) -> StepSessions.Response:
    request = StepSessions.Request(session_ids=ids, controls=given, **fields)
    return probe.call(StepSessions, "step_sessions", request)


def test_sessions_are_stepped_in_one_call_as_each_alone(lockstep: tuple[NodeUnderTest, Probe], probe: Probe) -> None:
    probe.start(session_id="present")
    for name in ("left", "right", "alone"):
        probe.call(ForkSession, "fork_session", ForkSession.Request(session_id="present", new_session_id=name))
    answer = step_sessions(probe, ["left", "right"], [controls(0.1, 0.2), controls(0.9, 0.8)])
    assert answer.error_code == ErrorCode.NONE, answer.error_msg
    left, right = answer.sessions
    assert (left.session.session_id, right.session.session_id) == ("left", "right")
    assert [info.control[0] for info in (left.frames[0], right.frames[0])] == [0.1, 0.9]
    request = Step.Request(session_id="alone", actions=[RobotAction(values=[0.9, 0.8])])
    alone = probe.call(Step, "step", request)
    assert bytes(alone.images[0].data) == bytes(right.images[0].data)
    assert bytes(left.images[0].data) != bytes(right.images[0].data)


def test_one_bad_session_does_not_stop_the_others(lockstep: tuple[NodeUnderTest, Probe], probe: Probe) -> None:
    probe.start(session_id="present")
    given = [controls(np.nan, 0.0), controls(0.1, 0.1), controls(0.1, 0.1)]
    probe.call(ForkSession, "fork_session", ForkSession.Request(session_id="present", new_session_id="other"))
    answer = step_sessions(probe, ["present", "nobody", "other"], given, omit_images=True)
    codes = [each.error_code for each in answer.sessions]
    assert answer.error_code == ErrorCode.NONE
    assert codes == [ErrorCode.INVALID_INPUT, ErrorCode.UNKNOWN_SESSION, ErrorCode.NONE]
    assert len(answer.sessions[2].frames) == 1
    assert not answer.sessions[2].images
    for ids, many in ((["present", "present"], 2), (["present"], 2), ([""], 1)):
        refused = step_sessions(probe, ids, [controls(0.1, 0.1)] * many)
        assert refused.error_code == ErrorCode.INVALID_INPUT, ids


def test_pause_holds_time_and_step_still_works(model: Path, tmp_path: Path) -> None:
    with running_node(tmp_path, model__name=model, mode="realtime") as (_, probe):
        probe.bring_up()
        probe.start(session_id="present")
        paused = probe.call(SetPaused, "set_paused", SetPaused.Request(paused=True))
        assert (paused.error_code, paused.state) == (ErrorCode.NONE, ImaginationStatus.STATE_PAUSED)
        probe.wait(lambda: probe.statuses[-1].state == ImaginationStatus.STATE_PAUSED)
        probe.infos.clear()
        probe.act(7, [0.1, 0.1])
        answer = probe.call(Step, "step", Step.Request(actions=[RobotAction(values=[0.3, 0.3])]))
        assert [info.frame_index for info in answer.frames] == [1]
        probe.wait(lambda: probe.infos)
        assert [info.control_id for info in probe.imagined()] == [0], "the action drove a paused session"
        resumed = probe.call(SetPaused, "set_paused", SetPaused.Request(paused=False))
        assert resumed.state != ImaginationStatus.STATE_PAUSED
        probe.wait(lambda: (probe.act(8, [0.2, 0.2]), any(info.control_id == 8 for info in probe.infos))[1])
