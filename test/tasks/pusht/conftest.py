"""Held-out windows that several tests judge on."""

import pytest

from lingbot_ros.tasks.pusht.dataset.held_out import held_out_windows, stack_windows
from lingbot_ros.tasks.pusht.windows import PushTWindows


@pytest.fixture(scope="session")
def windows() -> PushTWindows:
    return stack_windows(list(held_out_windows(10, base_seed=0, context=3, horizon=16)), context=3, horizon=16)
