"""Which rollouts are played together, and how all of them are stopped."""

import numpy as np
import pytest

from lingbot_ros.evaluate.controls import ActionSpace, make_control
from lingbot_ros.evaluate.policies.contract import Start
from lingbot_ros.evaluate.policies.each_row import EachRow
from lingbot_ros.evaluate.rollouts.job import Job
from lingbot_ros.evaluate.rollouts.stopping import StoppableStepper, StoppedError
from test.support.dot_world import DotStepper, draw
from test.support.evaluated_policies import Seer, starts


class Alone(EachRow):
    """A policy that is one robot's program, and can play one rollout at a time."""

    def __init__(self, name: str) -> None:
        super().__init__(name, Seer)
        self.alone_on = self


def groups(*policies: EachRow, rows: int = 3) -> list[list[str]]:
    job = Job("imagined", policies, starts(3), 4)
    waves = job.waves(rows)
    assert sorted((policy.name, start.id) for wave in waves for policy, start in wave) == sorted(
        (policy.name, start.id) for policy in policies for start in job.starts
    )
    return [[policy.name for policy, _ in wave] for wave in waves]


def test_rollouts_fill_the_rows_in_order() -> None:
    assert groups(EachRow("a", Seer), EachRow("b", Seer), rows=4) == [["a", "a", "a", "b"], ["b", "b"]]


def test_what_plays_alone_is_never_twice_in_a_group_and_neither_is_its_control() -> None:
    alone = Alone("robot")
    space = ActionSpace(np.zeros(2), np.full(2, 512.0), lambda start: np.zeros(2))
    found = groups(EachRow("a", Seer), alone, make_control("flipped", alone, space))  # type: ignore[arg-type]
    assert found[:3] == [["a", "a", "a"], ["robot"], ["robot"]]
    assert all(len([name for name in group if name.startswith("robot")]) <= 1 for group in found)


def test_a_stepper_that_is_told_to_stop_steps_no_more() -> None:
    reasons = ["", "", "it was canceled"]
    stepper = StoppableStepper(DotStepper(), lambda: reasons.pop(0))
    assert stepper.start(0, Start("a", draw(np.full(2, 20.0))), 0) is not None
    assert stepper.frames_in_next_step(0) == 1 and 0 in stepper.step({0: np.full((1, 2), 20.0)})
    with pytest.raises(StoppedError, match="it was canceled"):
        stepper.step({0: np.full((1, 2), 20.0)})
    stepper.end(0)
