"""The receding horizon arrives at a fixed frame; the trusted horizon never grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.errors import InputError
from lingbot_ros.planning.receding import Horizon, trusted_horizon


def test_plans_shrink_towards_a_fixed_frame_and_begin_anew() -> None:
    plans = list(Horizon(25, 10, 50).plans())
    assert plans == [(25, 10, False), (15, 10, True), (5, 5, True), (25, 10, False), (15, 10, True), (5, 5, True)]


@given(frames=st.integers(1, 50), share=st.floats(0.01, 1), budget=st.integers(1, 200))
def test_the_budget_is_used_up_and_no_plan_is_overrun(frames: int, share: float, budget: int) -> None:
    execute = max(1, int(share * frames))
    plans = list(Horizon(frames, execute, budget).plans())
    assert sum(executed for _, executed, _ in plans) == budget
    assert all(1 <= executed <= length <= frames for length, executed, _ in plans)


@pytest.mark.parametrize(("frames", "execute", "budget"), [(0, 1, 1), (5, 6, 1), (5, 0, 1), (5, 1, 0)])
def test_horizons_that_make_no_sense_are_refused(frames: int, execute: int, budget: int) -> None:
    with pytest.raises(InputError, match="execute"):
        Horizon(frames, execute, budget)


def test_the_trusted_horizon() -> None:
    assert trusted_horizon(25, None, 1000) == 25
    assert [trusted_horizon(25, 64, real) for real in (0, 50, 64, 99)] == [25, 14, 0, 0]
