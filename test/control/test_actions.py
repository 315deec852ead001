"""Actions of a chunk: scaling, history and what is remembered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.control.actions import ActionControl

SPEC = ControlSpec(kind="action", dim=2, names=("x", "y"), low=(0.0, -1.0), high=(512.0, 1.0))


def test_scaling_maps_limits_to_minus_one_and_one() -> None:
    encoded = ActionControl(SPEC, history=1).encode([[0, 1], [512, -1], [256, 0]], 3)["actions"]
    assert encoded.shape == (1, 3, 1, 2)
    assert encoded[0, :, 0].tolist() == [[-1, 1], [1, -1], [0, 0]]


def test_history_is_newest_first_and_starts_with_the_first_action() -> None:
    control = ActionControl(SPEC, history=3)
    x = 2 * np.arange(1, 6) / 512 - 1

    def seen(actions: list[float]) -> list[list[float]]:
        encoded = control.encode([[value, 0] for value in actions], len(actions))
        control.commit(encoded)
        return [[round(float(v), 6) for v in row] for row in encoded["actions"][0, :, :, 0]]

    def expect(*rows: tuple[int, int, int]) -> list[list[float]]:
        return [[round(float(x[i - 1]), 6) for i in row] for row in rows]

    assert seen([1, 2]) == expect((1, 1, 1), (2, 1, 1))
    assert seen([3]) == expect((3, 2, 1))
    assert seen([4, 5]) == expect((4, 3, 2), (5, 4, 3))


def test_encode_without_commit_remembers_nothing() -> None:
    control = ActionControl(SPEC, history=2)
    control.commit(control.encode([[10, 0]], 1))
    first = control.encode([[20, 0]], 1)["actions"]
    control.encode([[500, 1]], 1)
    assert control.encode([[20, 0]], 1)["actions"].equal(first)


@given(past=st.lists(st.floats(0, 512), min_size=1, max_size=5), history=st.integers(1, 4))
def test_state_carries_over(past: list[float], history: int) -> None:
    one, other = ActionControl(SPEC, history), ActionControl(SPEC, history)
    for value in past:
        one.commit(one.encode([[value, 0]], 1))
    other.load_state(one.state())
    assert one.encode([[7, 0]], 1)["actions"].equal(other.encode([[7, 0]], 1)["actions"])


def test_a_fresh_state_is_a_fresh_start() -> None:
    used, fresh = ActionControl(SPEC, 2), ActionControl(SPEC, 2)
    used.commit(used.encode([[10, 0]], 1))
    used.load_state(fresh.state())
    assert used.encode([[7, 0]], 1)["actions"].equal(fresh.encode([[7, 0]], 1)["actions"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-9, 512.001])
def test_the_component_is_named(value: float) -> None:
    with pytest.raises(Exception, match=r"action\[1\]\.x: got .* from 0 to 512"):
        ActionControl(SPEC, 2).encode([[1, 0], [value, 0]], 2)
