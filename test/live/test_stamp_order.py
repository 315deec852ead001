"""Stamps of a source go forward, unless it starts anew."""

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.live.stamp_order import StampOrder

SECOND = 1_000_000_000


def order(*, strictly: bool = False, pause_s: float = 1e6, max_age_s: float = 0.0) -> StampOrder:
    return StampOrder("cmd_vel", strictly=strictly, pause_s=pause_s, max_age_s=max_age_s)


def test_going_back_is_refused_and_forgotten() -> None:
    stamps = order()
    stamps.check(5 * SECOND, 0)
    with pytest.raises(
        InputError, match=r"cmd_vel.header.stamp: got 4.000 s; it must lie after the one before, 5.000 s"
    ):
        stamps.check(4 * SECOND, 0)
    stamps.check(5 * SECOND, 0)
    stamps.check(0, 0)  # "now"
    stamps.check(6 * SECOND, 0)


def test_poses_need_stamps_that_increase() -> None:
    stamps = order(strictly=True)
    stamps.check(5 * SECOND, 0)
    with pytest.raises(InputError, match="got 5.000 s"):
        stamps.check(5 * SECOND, 0)


def test_a_source_that_starts_anew_may_begin_earlier() -> None:
    stamps = order(pause_s=0.0)
    stamps.check(5 * SECOND, 0)
    stamps.check(1 * SECOND, 0)


def test_old_stamps_are_refused_where_asked_for() -> None:
    stamps = order(max_age_s=0.5)
    stamps.check(5 * SECOND, 5 * SECOND + SECOND // 2)
    with pytest.raises(InputError, match="it is 0.600 s old by the node's clock and may be 0.5 s old"):
        stamps.check(5 * SECOND, 5 * SECOND + 6 * SECOND // 10)
