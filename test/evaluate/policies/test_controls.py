"""Wrong actions on purpose."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.controls import CONTROLS, ActionSpace, Control, delayed, dropped, make_control, random
from lingbot_ros.evaluate.policies import Actions, EachRow, Observation, PolicyFailure
from lingbot_ros.evaluate.policies.recorded import RecordedActions
from test.support.evaluated_policies import Failing, starts

LOW, HIGH = np.zeros(2), np.full(2, 512.0)
REST = np.array([100.0, 200.0])
SPACE = ActionSpace(LOW, HIGH, rest=lambda start: REST)
RECORDED = np.random.default_rng(0).uniform(0, 512, (12, 2))
(START,) = starts(1)


def sent(control: Control, steps: int = 12, seed: int = 3) -> Actions:
    """What the control makes of the recorded actions, asked one by one."""
    assert control.begin(0, START, seed) is None
    answers = [control.act([0], [Observation(START.image, step)])[0] for step in range(steps)]
    control.end(0)
    assert not any(isinstance(answer, PolicyFailure) for answer in answers)
    return np.concatenate(answers)


def made(kind: str) -> Control:
    return make_control(kind, RecordedActions("replay", RECORDED), SPACE)


def test_zero_rests_and_flipped_mirrors_about_the_rest() -> None:
    assert (sent(made("zero")) == REST).all()
    assert sent(made("flipped")) == pytest.approx(200.0 * np.array([1, 2]) - RECORDED)


def test_random_is_uniform_in_the_box_and_held() -> None:
    found = sent(made("random"))
    assert (found.reshape(3, 4, 2) == found[::4][:, None]).all()
    assert len(np.unique(found[::4], axis=0)) == 3
    many = sent(Control("random", RecordedActions("long", np.tile(RECORDED, (50, 1))), SPACE, random(SPACE, 1)), 600)
    assert many.min() >= 0 and many.max() <= 512
    assert many.mean(axis=0) == pytest.approx([256, 256], abs=25)


def test_dropped_actions_repeat_the_last_one_that_arrived() -> None:
    found = sent(Control("lossy", RecordedActions("replay", RECORDED), SPACE, dropped(0.5)))
    last = REST
    arrived = 0
    for action, wanted in zip(found, RECORDED, strict=True):
        arrived += bool((action == wanted).all())
        assert (action == wanted).all() or (action == last).all()
        last = action
    assert 0 < arrived < 12
    assert (sent(Control("deaf", RecordedActions("replay", RECORDED), SPACE, dropped(1.0))) == REST).all()
    assert (sent(Control("fine", RecordedActions("replay", RECORDED), SPACE, dropped(0.0))) == RECORDED).all()


def test_delayed_actions_arrive_later() -> None:
    found = sent(Control("late", RecordedActions("replay", RECORDED), SPACE, delayed(3)))
    assert (found[:3] == REST).all()
    assert (found[3:] == RECORDED[:-3]).all()


@pytest.mark.parametrize("kind", CONTROLS)
def test_a_seed_repeats_a_control_and_a_row_forgets_what_it_played(kind: str) -> None:
    control = made(kind)
    first = sent(control, seed=3)
    assert (sent(control, seed=3) == first).all()
    if kind in ("random", "dropped"):
        assert (sent(control, seed=4) != first).any()


def test_a_policy_that_fails_under_a_control_fails_as_without() -> None:
    control = make_control("flipped", EachRow("bad", lambda: Failing("nan")), SPACE)
    assert control.name == "bad/flipped"
    assert control.begin(0, START, 0) is None
    answers = [control.act([0], [Observation(START.image, step)])[0] for step in range(3)]
    assert isinstance(answers[2], PolicyFailure)


def test_an_unknown_control_is_refused() -> None:
    with pytest.raises(InputError, match="zero, flipped, random, dropped, delayed"):
        make_control("sideways", RecordedActions("replay", RECORDED), SPACE)
