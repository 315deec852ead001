"""Held-out windows that several tests judge on."""

import pytest

from lingbot_ros.evaluate.pusht_windows import PushTWindows
from lingbot_ros.training.pusht_data.held_out import held_out_windows, stack_windows


@pytest.fixture(scope="session")
def windows() -> PushTWindows:
    return stack_windows(list(held_out_windows(10, base_seed=0, context=3, horizon=16)), context=3, horizon=16)
