"""Whatever a model answers becomes a decision within the limits, or a sentence that says what is wrong with it."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.agent.decision import CONTROLS, Control, Limits, Velocity, ramp, read_decision, schema
from lingbot_ros.control.rigid import exponential
from lingbot_ros.errors import InputError

LIMITS = Limits(duration_s=3.0, speed_m_s=0.8, turn_rate_rad_s=0.5)
WIDE = Limits(duration_s=1e6, speed_m_s=1e6, turn_rate_rad_s=1e6)
NUMBERS = st.floats(-3, 3)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
FIELDS = ("seen", "keys", "seconds", "forward", "left", "turn", "waypoints")


@given(st.sampled_from(CONTROLS), st.dictionaries(st.sampled_from(FIELDS), ANYTHING) | ANYTHING)
def test_no_answer_breaks_the_limits(control: Control, answer: Any) -> None:
    try:
        decision = read_decision(answer, control, LIMITS)
    except InputError:
        return
    assert 0 < sum(segment.duration_s for segment in decision.segments) <= LIMITS.duration_s + 1e-9
    for segment in decision.segments:
        if isinstance(segment.command, Velocity):
            assert math.hypot(segment.command.forward, segment.command.left) <= LIMITS.speed_m_s + 1e-9
            assert abs(segment.command.turn) <= LIMITS.turn_rate_rad_s + 1e-9
        else:
            assert set(segment.command) <= set("wasdijkl")


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=16), st.floats(0.1, 60))
def test_velocities_lead_through_the_waypoints(ways: list[tuple[float, float, float]], seconds: float) -> None:
    waypoints = [{"ahead": x, "left": y, "heading": heading} for x, y, heading in ways]
    answer = {"seen": "", "waypoints": waypoints, "seconds": seconds}
    for limits in (WIDE, Limits(1e6, 0.8, 0.5)):
        pose = np.eye(4)
        for segment, (x, y, heading) in zip(read_decision(answer, "waypoints", limits).segments, ways, strict=True):
            command = segment.command
            assert isinstance(command, Velocity)
            twist = np.array([command.forward, command.left, 0.0, 0.0, 0.0, command.turn])
            pose = pose @ exponential(twist * segment.duration_s)
            np.testing.assert_allclose(pose[:2, 3], (x, y), atol=1e-6)
            turned = math.atan2(pose[1, 0], pose[0, 0]) - heading
            assert abs(math.remainder(turned, 2 * math.pi)) < 1e-6


def test_a_velocity_that_is_too_fast_keeps_its_direction() -> None:
    fast = {"seen": "", "forward": 8.0, "left": -6.0, "turn": 0.4, "seconds": 1.0}
    (segment,) = read_decision(fast, "velocity", LIMITS).segments
    assert isinstance(segment.command, Velocity)
    np.testing.assert_allclose(
        (segment.command.forward, segment.command.left, segment.command.turn), (0.64, -0.48, 0.032)
    )


@pytest.mark.parametrize(
    ("control", "answer", "named"),
    [
        ("keys", {"seen": "", "keys": "x", "seconds": 1}, "keys"),
        ("keys", {"seen": "", "keys": "w"}, "seconds"),
        ("keys", {"seen": "", "keys": "w", "seconds": 1, "jump": True}, "jump"),
        ("keys", {"seen": "", "keys": "w", "seconds": -1}, "seconds"),
        ("velocity", {"seen": "", "forward": math.nan, "left": 0, "turn": 0, "seconds": 1}, "forward"),
        ("waypoints", {"seen": "", "waypoints": [], "seconds": 1}, "waypoints"),
        ("waypoints", {"seen": "", "waypoints": [{"ahead": 1, "left": 0}], "seconds": 1}, "waypoints.0.heading"),
        ("velocity", [1, 2], "answer"),
    ],
)
def test_a_wrong_field_is_named(control: Control, answer: Any, named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_decision(answer, control, LIMITS)


@pytest.mark.parametrize("control", CONTROLS)
def test_the_schema_is_plain_json(control: Control) -> None:
    assert json.loads(json.dumps(schema(control)))["additionalProperties"] is False


@given(st.builds(Velocity, NUMBERS, NUMBERS, NUMBERS), st.builds(Velocity, NUMBERS, NUMBERS, NUMBERS))
def test_velocities_change_by_the_acceleration_and_arrive(present: Velocity, wanted: Velocity) -> None:
    for _ in range(1000):
        after = ramp(present, wanted, 0.1, LIMITS)
        change = math.hypot(after.forward - present.forward, after.left - present.left)
        assert change <= LIMITS.acceleration_m_s2 * 0.1 + 1e-9
        assert abs(after.turn - present.turn) <= LIMITS.turn_acceleration_rad_s2 * 0.1 + 1e-9
        present = after
    np.testing.assert_allclose(
        (present.forward, present.left, present.turn), (wanted.forward, wanted.left, wanted.turn)
    )
