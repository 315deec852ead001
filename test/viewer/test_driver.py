"""One page drives at a time, and only while it says so."""

from lingbot_ros.viewer.driver import IDLE_S, RELEASE_S, DrivingSeat
from lingbot_ros.viewer.messages import Drive

W = Drive(keys="w")


def test_the_first_page_drives_until_it_has_been_idle() -> None:
    seat = DrivingSeat()
    assert seat.drive(1, W, 0.0)
    assert not seat.drive(2, W, 1.0)
    assert seat.driver(1.0) == 1
    assert seat.drive(2, W, IDLE_S + 0.1)
    assert seat.driver(IDLE_S + 0.1) == 2


def test_silence_counts_as_release() -> None:
    seat = DrivingSeat()
    seat.drive(1, W, 0.0)
    assert seat.held(0, RELEASE_S - 0.01) == W
    assert seat.held(0, RELEASE_S + 0.01) is None


def test_release_leaving_and_taking_over_let_go_at_once() -> None:
    for let_go in (
        lambda seat: seat.drive(1, Drive(), 0.1),
        lambda seat: seat.leave(1),
        lambda seat: seat.take_over(2, 0.1),
    ):
        seat = DrivingSeat()
        seat.drive(1, W, 0.0)
        let_go(seat)
        assert seat.held(0, 0.1) is None


def test_streams_are_held_apart() -> None:
    seat = DrivingSeat()
    seat.drive(1, W, 0.0)
    seat.drive(1, Drive(2, "", (1.0,)), 0.0)
    seat.drive(1, Drive(2), 0.1)
    assert (seat.held(0, 0.1), seat.held(2, 0.1)) == (W, None)


def test_a_page_that_left_does_not_let_go_for_another() -> None:
    seat = DrivingSeat()
    seat.drive(1, W, 0.0)
    seat.leave(2)
    assert seat.held(0, 0.1) == W
