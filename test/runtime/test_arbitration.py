"""Several sources in realtime and lockstep: who drives, what stale velocities do, and stamps that go back."""

import math
import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.motion import ActionMotion, CameraMotion, motion_of
from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.runtime.commands import MotionState, Plan, Velocity
from lingbot_ros.runtime.enums import ControlSource, ControlState, Mode
from lingbot_ros.runtime.inbox import ControlInbox, StalePolicy
from lingbot_ros.runtime.records import Control
from lingbot_ros.runtime.stamp_order import StampOrder

MOTION = CameraMotion(fps=10.0)
STAND = MotionState(MOTION, MOTION.rest())
TIMEOUT_S = 100.0


def pose(x: float, age_s: float = 0.0, source: ControlSource = ControlSource.CAMERA_POSE) -> Control:
    values = MOTION.rest()
    values[0, 3] = x
    return Control(values, source, received_s=time.monotonic() - age_s)


def ahead(speed: float, age_s: float = 0.0, source: ControlSource = ControlSource.CMD_VEL) -> Velocity:
    return Velocity(np.array([speed, 0, 0, 0, 0, 0]), source, time.monotonic() - age_s)


def inbox(stale: StalePolicy = StalePolicy.HOLD, mode: Mode = Mode.REALTIME) -> ControlInbox:
    return ControlInbox(mode, capacity=4, timeout_s=TIMEOUT_S, stale=stale, decay_s=10.0)


def xs(controls: Sequence[Control] | None) -> list[float]:
    assert controls is not None
    return [float(control.values[0, 3]) for control in controls]


def drivers(controls: Sequence[Control] | None) -> set[tuple[ControlSource, ControlState]]:
    assert controls is not None
    return {(control.source, control.state) for control in controls}


def test_a_fresh_source_of_higher_priority_drives_and_the_other_takes_over_when_it_is_stale() -> None:
    box = inbox()
    box.put(ahead(1.0, age_s=TIMEOUT_S + 1, source=ControlSource.JOY))
    box.put(ahead(2.0))
    assert drivers(box.take(2, STAND)) == {(ControlSource.CMD_VEL, ControlState.FRESH)}
    box.put(ahead(1.0, source=ControlSource.JOY))
    taken = box.take(2, STAND)
    assert drivers(taken) == {(ControlSource.JOY, ControlState.FRESH)}
    assert_allclose(xs(taken), [0.1, 0.2])
    box.release(ControlSource.JOY)
    assert drivers(box.take(1, STAND)) == {(ControlSource.CMD_VEL, ControlState.FRESH)}


def test_priority_is_a_parameter_and_those_not_named_come_last() -> None:
    named = (ControlSource.CMD_VEL,)
    box = ControlInbox(Mode.REALTIME, capacity=4, timeout_s=TIMEOUT_S, stale=StalePolicy.HOLD, priority=named)
    box.put(pose(5.0))
    box.put(ahead(1.0))
    assert drivers(box.take(1, STAND)) == {(ControlSource.CMD_VEL, ControlState.FRESH)}


def test_when_all_are_stale_the_one_that_was_fresh_last_goes_on() -> None:
    box = inbox()
    box.put(ahead(1.0, age_s=TIMEOUT_S + 5, source=ControlSource.JOY))
    box.put(pose(5.0, age_s=TIMEOUT_S + 1))
    assert drivers(box.take(1, STAND)) == {(ControlSource.CAMERA_POSE, ControlState.HELD)}


@pytest.mark.parametrize(("stale", "state"), [("hold", ControlState.STOPPED), ("decay", ControlState.DECAYED)])
def test_a_stale_velocity_stops_or_fades(stale: str, state: ControlState) -> None:
    box = inbox(StalePolicy(stale))
    box.put(ahead(1.0, age_s=TIMEOUT_S + 10.0))
    taken = box.take(3, STAND)
    assert drivers(taken) == {(ControlSource.CMD_VEL, state)}
    # Stale for 10 s with a time constant of 10 s, and 0.1 s more with each frame.
    steps = 0.1 * np.exp(-1 - np.array([0, 0.01, 0.02])) if stale == "decay" else np.zeros(3)
    assert_allclose(xs(taken), np.cumsum(steps), rtol=1e-2)


def test_a_faded_velocity_rests() -> None:
    box = inbox(StalePolicy.DECAY)
    box.put(ahead(1.0, age_s=TIMEOUT_S + 100.0))
    assert drivers(box.take(1, STAND)) == {(ControlSource.CMD_VEL, ControlState.STOPPED)}


def test_stop_gives_nothing_until_one_source_is_fresh_again() -> None:
    box = inbox(StalePolicy.STOP)
    box.put(ahead(1.0, age_s=TIMEOUT_S + 1))
    assert box.take(1, STAND) is None and not box.would_give(1)
    box.put(pose(1.0))
    assert xs(box.take(1, STAND)) == [1.0]


def test_poses_between_two_chunks_are_travelled_through_and_then_held() -> None:
    box = inbox()
    box.put(pose(1.0))
    box.put(pose(2.0))
    assert_allclose(xs(box.take(4, STAND)), [0.5, 1.0, 1.5, 2.0])
    there = MotionState(MOTION, pose(2.0).values)
    assert_allclose(xs(box.take(2, there)), [2.0, 2.0])


def test_a_plan_is_gone_through_once_and_its_end_is_held() -> None:
    box = inbox()
    box.put(Plan(tuple(pose(x, age_s=TIMEOUT_S, source=ControlSource.PATH) for x in (1.0, 2.0, 3.0))))
    assert drivers(box.take(2, STAND)) == {(ControlSource.PATH, ControlState.FRESH)}
    taken = box.take(2, STAND)
    assert xs(taken) == [3.0, 3.0]
    assert taken is not None and [c.state for c in taken] == [ControlState.FRESH, ControlState.HELD]


def test_imagined_time_passes_for_a_plan_that_does_not_drive() -> None:
    box = inbox()
    box.put(Plan(tuple(pose(x, source=ControlSource.PATH) for x in (1.0, 2.0, 3.0))))
    box.put(ahead(1.0))
    assert drivers(box.take(2, STAND)) == {(ControlSource.CMD_VEL, ControlState.FRESH)}
    assert box.counts().replaced == 2


def test_lockstep_mixes_in_order_of_arrival() -> None:
    box = inbox(mode=Mode.LOCKSTEP)
    for offer in (ahead(1.0), pose(5.0), ahead(2.0), ahead(1.0, source=ControlSource.JOY)):
        box.put(offer)
    assert_allclose(xs(box.take(4, STAND)), [0.1, 5.0, 5.2, 5.3])


def test_lockstep_takes_all_of_a_plan_or_nothing() -> None:
    box = inbox(mode=Mode.LOCKSTEP)
    box.put(ahead(1.0))
    plan = Plan(tuple(pose(x, source=ControlSource.PATH) for x in (1.0, 2.0, 3.0, 4.0)))
    with pytest.raises(LingbotError, match=r"path: 1 controls already wait .* at most 4 may \(input.queue\)"):
        box.put(plan)
    assert box.counts().waiting == 1


def test_stamps_may_not_go_back_until_a_pause() -> None:
    now_ns = 1000 * 10**9
    order = StampOrder("cmd_vel", strictly=False, pause_s=3600.0, max_age_s=0.0)
    for stamp_ns in (50, 50, 0, 60, 0):
        order.check(stamp_ns, now_ns)
    with pytest.raises(InputError, match=r"cmd_vel.header.stamp: .* a source that restarts is accepted after"):
        order.check(59, now_ns)
    restarted = StampOrder("cmd_vel", strictly=True, pause_s=0.0, max_age_s=0.0)
    restarted.check(50, now_ns)
    restarted.check(10, now_ns)


def test_old_commands_are_refused_by_the_clock() -> None:
    order = StampOrder("camera_pose", strictly=True, pause_s=math.inf, max_age_s=2.0)
    order.check(999 * 10**9, 1000 * 10**9)
    with pytest.raises(InputError, match=r"it is 3.000 s old by the node's clock and may be 2 s old"):
        order.check(997 * 10**9, 1000 * 10**9)
    with pytest.raises(InputError, match="one before, 999.000 s"):
        order.check(999 * 10**9, 1000 * 10**9)


def test_actions_are_held_under_decay_and_velocities_of_them_go_on_from_the_session() -> None:
    spec = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))
    motion, box = ActionMotion(spec, fps=10.0), inbox(StalePolicy.DECAY)
    stale_s = time.monotonic() - TIMEOUT_S - 1
    box.put(Control(np.full(2, 7.0), ControlSource.ACTION, received_s=stale_s))
    assert drivers(box.take(1, MotionState(motion, None))) == {(ControlSource.ACTION, ControlState.HELD)}
    rates = np.array([10.0, 0.0])
    box.put(Velocity(rates, ControlSource.CMD_VEL, time.monotonic()))
    for stands, expected in ((np.array([300.0, 1.0]), [301, 1]), (None, [257, 256])):
        (control,) = box.take(1, MotionState(motion, stands)) or []
        assert_allclose(control.values, expected)
    box.put(Velocity(rates, ControlSource.CMD_VEL, time.monotonic(), start=np.array([5.0, 6.0])))
    (control,) = box.take(1, MotionState(motion, None)) or []
    assert_allclose(control.values, [6, 6])


def test_a_stale_velocity_presses_no_keys() -> None:
    keys = ("w", "a", "s", "d")
    motion = motion_of(ControlSpec("camera", 4, keys, (0.0,) * 4, (1.0,) * 4), fps=10.0)
    box, stale_s = inbox(StalePolicy.HOLD), time.monotonic() - TIMEOUT_S - 1
    for received_s, pressed in ((time.monotonic(), 1.0), (stale_s, 0.0)):
        box.put(Velocity(np.array([1.0, 0, 0, 0, 0, 0]), ControlSource.CMD_VEL, received_s))
        (control,) = box.take(1, MotionState(motion, np.eye(4))) or []
        assert (control.values.shape, control.values[4].tolist()) == ((5, 4), [pressed, 0, 0, 0])


def plan(*places: float, over: int = 0, ahead_s: float = 0.0) -> Plan:
    controls = tuple(pose(x, source=ControlSource.PATH) for x in places)
    return Plan(controls, over, time.monotonic() + ahead_s if ahead_s else -math.inf)


def test_a_plan_that_lies_ahead_waits_and_what_drives_goes_on() -> None:
    box = inbox()
    box.put(plan(7.0, 8.0, ahead_s=0.05))
    assert box.take(1, STAND) is None
    box.put(plan(1.0, 2.0, 3.0))
    box.put(plan(7.0, 8.0, ahead_s=0.05))
    assert xs(box.take(1, STAND)) == [1.0]
    deadline_s = time.monotonic() + 10.0
    taken = xs(box.take(1, STAND))
    while taken[-1] != 7.0 and time.monotonic() < deadline_s:
        taken = xs(box.take(1, STAND))
    assert taken == [7.0] and xs(box.take(1, STAND)) == [8.0]


def test_a_plan_that_began_before_it_came_goes_on_where_it_would_be() -> None:
    box = inbox()
    box.put(plan(1.0, 2.0, 3.0, over=2))
    assert xs(box.take(1, STAND)) == [3.0]
