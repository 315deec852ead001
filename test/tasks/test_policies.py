"""Demo policies stay within the model's limits, repeat with their seed, and really push."""

import numpy as np
import pytest

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.policies import POLICIES, make_policy

SPEC = ControlSpec("action", 2, ("x", "y"), (0.0, 0.0), (512.0, 512.0))
BLANK = np.full((96, 96, 3), 255, np.uint8)


@pytest.mark.parametrize("name", POLICIES)
def test_actions_are_legal_and_repeat_with_the_seed(name: str) -> None:
    first, second = (make_policy(name, "pusht-small", SPEC, seed=4) for _ in range(2))
    actions = np.array([first.act(BLANK) for _ in range(500)])
    assert actions.shape == (500, 2)
    assert (actions >= 0).all()
    assert (actions <= 512).all()
    np.testing.assert_array_equal(actions, [second.act(BLANK) for _ in range(500)])


def test_the_demo_moves_the_block_of_the_simulator() -> None:
    """Closed loop on real pictures: the pilot sees only pixels, the T must have moved."""
    pusht = pytest.importorskip("lingbot_ros.tasks.pusht.simulator.simulator", reason="gym-pusht is not installed")
    moved = []
    for seed in range(4):
        simulator, policy = pusht.PushTSimulator(), make_policy("demo", "pusht-small", SPEC, seed)
        start = simulator.reset(seed).block
        for _ in range(120):
            state = simulator.step(policy.act(simulator.render()))
        moved.append(float(np.linalg.norm(state.block[:2] - start[:2])))
    assert np.median(moved) > 30


def test_the_demo_drives_only_what_it_knows() -> None:
    with pytest.raises(InputError, match=r"^policy: got 'demo'; it plays Push-T and cannot drive other"):
        make_policy("demo", "other", SPEC, 0)


def test_camera_models_are_not_driven_by_actions() -> None:
    with pytest.raises(InputError, match="driven by a camera"):
        make_policy("circle", "camera", ControlSpec("camera", 0), 0)
