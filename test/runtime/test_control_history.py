"""Which control led to a real image, by stamps (realtime)."""

import time

import numpy as np
import pytest

from lingbot_ros.runtime.commands import Plan, Velocity
from lingbot_ros.runtime.control_history import ControlHistory
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import Control

MS = 1_000_000
PERIOD_NS = 100 * MS


def action(number: int, at_ms: float, source: ControlSource = ControlSource.ACTION) -> Control:
    return Control(np.zeros(2), source, time.monotonic(), id=number, stamp_ns=round(at_ms * MS))


def pose(number: int, at_ms: float) -> Control:
    return Control(np.eye(4), ControlSource.CAMERA_POSE, time.monotonic(), id=number, stamp_ns=round(at_ms * MS))


def found(history: ControlHistory, at_ms: float) -> int | None:
    control = history.find(round(at_ms * MS), PERIOD_NS)
    assert control is None or isinstance(control, Control)
    return None if control is None else control.id


def history_of(*offers: Control | Plan | Velocity, timeout_s: float = 0.0) -> ControlHistory:
    history = ControlHistory(timeout_s, (ControlSource.JOY, ControlSource.ACTION))
    for offer in offers:
        history.put(offer)
    return history


@pytest.mark.parametrize(
    ("image_ms", "wanted"),
    [(1100, 1), (1051, 1), (1150, 1), (1151, 2), (1249, 2), (1351, None), (1050, None), (900, None)],
)
def test_an_action_leads_to_the_image_one_period_later(image_ms: float, wanted: int | None) -> None:
    assert found(history_of(action(1, 1000), action(2, 1100)), image_ms) == wanted


def test_an_action_counts_as_long_as_it_stays_in_force() -> None:
    history = history_of(action(1, 1000), timeout_s=0.5)
    assert found(history, 1600) == 1
    assert found(history, 1601) is None


@pytest.mark.parametrize(
    ("image_ms", "wanted"), [(1000, 1), (1040, 1), (1060, 2), (1100, 2), (1151, None), (940, None)]
)
def test_a_pose_belongs_to_the_image_that_is_nearest(image_ms: float, wanted: int | None) -> None:
    assert found(history_of(pose(1, 1000), pose(2, 1100)), image_ms) == wanted


def test_a_late_message_finds_its_place() -> None:
    assert found(history_of(action(2, 1100), action(1, 1000)), 1100) == 1


@pytest.mark.parametrize(("image_ms", "wanted"), [(1100, 10), (1140, 10), (1200, 11), (1310, 12), (1400, None)])
def test_each_frame_of_a_plan_has_its_time(image_ms: float, wanted: int | None) -> None:
    assert found(history_of(Plan(tuple(action(number, 1000) for number in (10, 11, 12)))), image_ms) == wanted


def test_the_first_source_by_priority_that_has_one_counts() -> None:
    joy = Velocity(np.ones(2), ControlSource.JOY, time.monotonic(), stamp_ns=1000 * MS)
    history = history_of(action(1, 1000), action(2, 1100), joy)
    assert history.find(1100 * MS, PERIOD_NS) is joy
    assert found(history, 1200) == 2
