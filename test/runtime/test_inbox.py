"""Controls on their way to the worker: newest in realtime, all in order in lockstep, never invented."""

import time
from collections.abc import Sequence

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.motion import ActionMotion
from lingbot_ros.errors import ErrorCode, LingbotError, SessionError
from lingbot_ros.runtime.commands import MotionState
from lingbot_ros.runtime.enums import ControlSource, ControlState, Mode
from lingbot_ros.runtime.inbox import ControlInbox, StalePolicy
from lingbot_ros.runtime.records import Control


def control(number: int, age_s: float = 0.0) -> Control:
    return Control(np.zeros(2), ControlSource.ACTION, received_s=time.monotonic() - age_s, id=number)


def inbox(mode: Mode, stale: StalePolicy = StalePolicy.HOLD, capacity: int = 3) -> ControlInbox:
    return ControlInbox(mode, capacity=capacity, timeout_s=10.0, stale=stale)


STAND = MotionState(
    ActionMotion(ControlSpec("action", 2, ("x", "y"), (0, 0), (512, 512)), fps=10.0), np.array([100.0, 200.0])
)


def ids(controls: Sequence[Control] | None) -> list[int] | None:
    return None if controls is None else [one.id for one in controls]


@pytest.mark.parametrize("mode", list(Mode))
def test_nothing_is_invented_before_the_first_control(mode: Mode) -> None:
    box = inbox(mode)
    assert not box.would_give(1) and box.take(1, STAND) is None


def test_lockstep_gives_whole_chunks_in_order() -> None:
    box = inbox(Mode.LOCKSTEP)
    box.put(control(1))
    assert box.take(2, STAND) is None and not box.would_give(2)
    box.put(control(2))
    box.put(control(3))
    assert ids(box.take(2, STAND)) == [1, 2]
    assert ids(box.take(1, STAND)) == [3]
    assert box.take(1, STAND) is None


def test_lockstep_refuses_rather_than_drops() -> None:
    box = inbox(Mode.LOCKSTEP)
    for number in (1, 2, 3):
        box.put(control(number))
    with pytest.raises(LingbotError, match="3 controls already wait") as error:
        box.put(control(4))
    assert error.value.code is ErrorCode.BUSY
    assert ids(box.take(3, STAND)) == [1, 2, 3]


def test_realtime_gives_the_newest_again_and_again_and_counts_the_overtaken() -> None:
    box = inbox(Mode.REALTIME)
    for number in (1, 2, 3):
        box.put(control(number))
    assert ids(box.take(2, STAND)) == [3, 3] and ids(box.take(1, STAND)) == [3]
    counts = box.counts()
    assert (counts.received, counts.replaced, counts.waiting) == (3, 2, 0)


def test_stale_controls_are_held_and_say_so_or_stop_the_world() -> None:
    held, stopped = inbox(Mode.REALTIME), inbox(Mode.REALTIME, StalePolicy.STOP)
    for box in (held, stopped):
        box.put(control(1, age_s=11.0))
    taken = held.take(1, STAND)
    assert taken is not None and taken[0].state is ControlState.HELD
    assert stopped.take(1, STAND) is None and not stopped.would_give(1)
    stopped.put(control(2))
    taken = stopped.take(1, STAND)
    assert taken is not None and taken[0].state is ControlState.FRESH


@pytest.mark.parametrize("mode", list(Mode))
def test_clear_forgets_everything_and_counts_what_was_not_used(mode: Mode) -> None:
    box = inbox(mode)
    box.put(control(1))
    box.clear()
    assert box.take(1, STAND) is None and box.counts().replaced == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_late_control_of_the_old_session_does_not_drive_the_new_one(mode: Mode) -> None:
    """It may have been checked before the sessions changed; what is taken in is decided by the inbox itself."""
    box = inbox(mode)
    box.serve("old")
    box.put(control(1), "old")
    box.require_served("old")
    box.serve("new")
    with pytest.raises(SessionError, match="'old'; the topic drives the active session 'new'"):
        box.put(control(2), "old")
    assert not box.would_give(1)
    box.put(control(3), "new")
    assert ids(box.take(1, STAND)) == [3]
