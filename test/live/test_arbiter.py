"""Several sources at once: who drives, who falls back, and what a stale velocity becomes."""

import math
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lingbot_ros.control.motion import ActionMotion, CameraMotion
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.live.codes import ControlSource, ControlState, Mode
from lingbot_ros.live.inbox import ControlInbox, StalePolicy
from lingbot_ros.live.offers import Plan, Stand, Velocity
from lingbot_ros.live.records import Control
from lingbot_ros.model.cards import ControlSpec

SPEC = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))
STAND = Stand(ActionMotion(SPEC, fps=10.0), np.array([100.0, 200.0]))
LIMIT_S = 1000.0
STALE_S = LIMIT_S + 1.0


def inbox(stale: StalePolicy = StalePolicy.HOLD, mode: Mode = Mode.REALTIME, decay_s: float = 2.0) -> ControlInbox:
    return ControlInbox(mode, capacity=6, timeout_s=LIMIT_S, stale=stale, decay_s=decay_s)


def setpoint(source: ControlSource, value: float, age_s: float = 0.0) -> Control:
    return Control(np.full(2, value), source, received_s=time.monotonic() - age_s)


def velocity(x: float, age_s: float = 0.0, source: ControlSource = ControlSource.CMD_VEL) -> Velocity:
    return Velocity(np.array([x, 0.0]), source, received_s=time.monotonic() - age_s)


def plan(*values: float) -> Plan:
    return Plan(tuple(setpoint(ControlSource.JOINT_TRAJECTORY, value) for value in values))


def first(box: ControlInbox, count: int = 1, stand: Stand = STAND) -> list[Control]:
    taken = box.take(count, stand)
    assert taken is not None
    return list(taken)


def test_the_higher_priority_wins_while_fresh_and_falls_back() -> None:
    box = inbox()
    box.put(setpoint(ControlSource.ACTION, 1.0))
    box.put(velocity(10.0))
    assert first(box)[0].source is ControlSource.ACTION
    box.put(velocity(10.0, source=ControlSource.JOY))
    assert first(box)[0].source is ControlSource.JOY
    box.release(ControlSource.JOY)
    assert first(box)[0].source is ControlSource.ACTION
    box.put(setpoint(ControlSource.ACTION, 2.0, age_s=STALE_S))
    (control,) = first(box)
    assert (control.source, control.state) == (ControlSource.CMD_VEL, ControlState.FRESH)


def test_when_all_are_stale_the_last_to_be_fresh_goes_on() -> None:
    box = inbox()
    box.put(velocity(10.0, age_s=STALE_S + 5))
    box.put(setpoint(ControlSource.ACTION, 7.0, age_s=STALE_S))
    (control,) = first(box)
    assert (control.source, control.state, control.values[0]) == (ControlSource.ACTION, ControlState.HELD, 7.0)


def test_a_velocity_is_integrated_from_where_the_session_stands() -> None:
    box = inbox()
    box.put(velocity(10.0))
    assert_allclose([control.values for control in first(box, 3)], [[101, 200], [102, 200], [103, 200]])
    elsewhere = Stand(STAND.motion, np.array([300.0, 0.0]))
    assert_allclose(first(box, 1, elsewhere)[0].values, [301, 0])
    unknown = Stand(STAND.motion, None)
    assert_allclose(first(box, 1, unknown)[0].values, [257, 256])
    box.put(Velocity(np.array([10.0, 0.0]), ControlSource.CMD_VEL, time.monotonic(), start=np.array([5.0, 6.0])))
    assert_allclose(first(box, 1, unknown)[0].values, [6, 6])


def test_a_stale_velocity_stops_or_fades_by_its_time_constant() -> None:
    held, fading = inbox(), inbox(StalePolicy.DECAY)
    for box in (held, fading):
        box.put(velocity(10.0, age_s=STALE_S))
    (control,) = first(held)
    assert control.state is ControlState.STOPPED
    assert_allclose(control.values, [100, 200])
    controls = first(fading, 3)
    assert {control.state for control in controls} == {ControlState.DECAYED}
    steps = np.diff([100.0, *(control.values[0] for control in controls)])
    assert_allclose(steps[1:] / steps[:-1], math.exp(-0.1 / 2.0))
    assert steps[0] == pytest.approx(math.exp(-1.0 / 2.0), rel=0.5)  # 1 s late, and what this test took
    fading.put(velocity(10.0, age_s=STALE_S + 60))
    assert first(fading)[0].state is ControlState.STOPPED


def test_poses_and_actions_hold_under_decay() -> None:
    box = inbox(StalePolicy.DECAY)
    box.put(setpoint(ControlSource.ACTION, 7.0, age_s=STALE_S))
    assert first(box)[0].state is ControlState.HELD


def test_poses_are_travelled_through() -> None:
    camera = CameraMotion(fps=16.0)
    stand, box = Stand(camera, camera.rest()), inbox()
    for x in (1.0, 2.0):
        pose = camera.rest()
        pose[0, 3] = x
        box.put(Control(pose, ControlSource.CAMERA_POSE, time.monotonic()))
    assert_allclose([control.values[0, 3] for control in first(box, 4, stand)], [0.5, 1.0, 1.5, 2.0])
    assert box.counts().replaced == 0


def test_a_plan_is_gone_through_once_and_its_end_is_held() -> None:
    box = inbox()
    box.put(plan(1.0, 2.0, 3.0))
    assert [control.values[0] for control in first(box, 2)] == [1, 2]
    last = first(box, 2)
    assert [control.values[0] for control in last] == [3, 3]
    assert [control.state for control in last] == [ControlState.FRESH, ControlState.HELD]


def test_a_plan_goes_on_while_another_drives() -> None:
    box = inbox()
    box.put(plan(1.0, 2.0, 3.0, 4.0))
    box.put(setpoint(ControlSource.ACTION, 9.0))
    assert first(box, 2)[0].source is ControlSource.ACTION
    box.put(setpoint(ControlSource.ACTION, 9.0, age_s=STALE_S))
    assert [control.values[0] for control in first(box, 2)] == [3, 4]


def test_lockstep_takes_all_sources_in_order_of_arrival() -> None:
    box = inbox(mode=Mode.LOCKSTEP)
    box.put(velocity(10.0))
    box.put(plan(50.0, 60.0))
    box.put(velocity(-10.0))
    box.put(setpoint(ControlSource.ACTION, 5.0))
    controls = first(box, 5)
    assert [control.values[0] for control in controls] == [101, 50, 60, 59, 5]
    assert [control.source for control in controls] == [
        ControlSource.CMD_VEL,
        ControlSource.JOINT_TRAJECTORY,
        ControlSource.JOINT_TRAJECTORY,
        ControlSource.CMD_VEL,
        ControlSource.ACTION,
    ]


def test_lockstep_refuses_a_plan_that_does_not_fit_as_a_whole() -> None:
    box = inbox(mode=Mode.LOCKSTEP)
    box.put(plan(1.0, 2.0, 3.0, 4.0))
    with pytest.raises(LingbotError, match="joint_trajectory: 4 controls already wait") as error:
        box.put(plan(1.0, 2.0, 3.0))
    assert error.value.code is ErrorCode.BUSY
    assert box.counts().waiting == 4
