"""Demo policies stay within the model's limits, repeat with their seed, and really play."""

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.policy import POLICIES, Circle, Wander, make_policy
from lingbot_ros.tasks.registry import find_task

SPEC = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))
BLANK = np.full((96, 96, 3), 255, np.uint8)
PUSHT = find_task("pusht")


@pytest.mark.parametrize("name", POLICIES)
def test_actions_are_legal_and_repeat_with_the_seed(name: str) -> None:
    first, second = (make_policy(name, PUSHT, "pusht-small", SPEC, seed=4)[1] for _ in range(2))
    actions = np.array([first.act(BLANK) for _ in range(500)])
    assert actions.shape == (500, 2)
    assert (actions >= 0).all()
    assert (actions <= 512).all()
    np.testing.assert_array_equal(actions, [second.act(BLANK) for _ in range(500)])


def test_the_demo_moves_the_block_of_the_simulator() -> None:
    """Closed loop on real images: the pilot sees only pixels, the T must have moved."""
    pusht = pytest.importorskip("lingbot_ros.tasks.pusht.simulator.simulator", reason="gym-pusht is not installed")
    moved = []
    for seed in range(4):
        simulator, (name, policy) = pusht.PushTSimulator(), make_policy(None, PUSHT, "pusht-small", SPEC, seed)
        assert name == "demo"
        start = simulator.reset(seed).block
        for _ in range(120):
            state = simulator.step(policy.act(simulator.render()))
        moved.append(float(np.linalg.norm(state.block[:2] - start[:2])))
    assert np.median(moved) > 30


def test_without_a_task_nothing_plays_and_random_is_the_default() -> None:
    with pytest.raises(InputError, match=r"^policy: got 'demo'; nothing plays other by itself"):
        make_policy("demo", None, "other", SPEC, 0)
    name, policy = make_policy(None, None, "other", SPEC, 0)
    assert name == "random" and isinstance(policy, Wander)
    assert isinstance(make_policy("circle", PUSHT, "pusht-small", SPEC, 0)[1], Circle)


def test_camera_models_are_not_driven_by_actions() -> None:
    with pytest.raises(InputError, match="driven by a camera"):
        make_policy("circle", None, "camera", ControlSpec("camera", 0), 0)
