"""The simulator's plain face: the same physics and images as gym-pusht's own, and a state that can be put back."""

import subprocess
import sys

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.simulator.replay import replay
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState, reset_frame


@pytest.fixture(scope="module")
def simulator() -> PushTSimulator:
    return PushTSimulator()


def test_image_is_gym_pushts_own_observation_after_actions(simulator: PushTSimulator) -> None:
    simulator.reset(3)
    for _ in range(15):
        simulator.step(simulator.state.block[:2])
    own = simulator._env._render()
    assert own.shape == (96, 96, 3)
    np.testing.assert_array_equal(simulator.render(), own)


def test_a_step_is_gym_pushts_own_step(simulator: PushTSimulator) -> None:
    other = PushTSimulator()
    simulator.reset(5)
    other.reset(5)
    target = other.state.block[:2]
    for _ in range(20):
        simulator.step(target)
        other._env.step(target)
    np.testing.assert_array_equal(simulator.state.block, other.state.block)
    np.testing.assert_array_equal(simulator.state.pusher, other.state.pusher)


def test_scene_depends_on_the_seed_alone(simulator: PushTSimulator) -> None:
    simulator.reset(11)
    simulator.step([10.0, 10.0])
    again = simulator.reset(7)
    fresh = PushTSimulator().reset(7)
    np.testing.assert_array_equal(again.pusher, fresh.pusher)
    np.testing.assert_array_equal(again.block, fresh.block)
    assert again.contact == 0
    np.testing.assert_array_equal(reset_frame(7), simulator.render())


def test_nothing_overlaps_or_moves_by_itself_at_the_start(simulator: PushTSimulator) -> None:
    for seed in range(40):
        before = simulator.reset(seed)
        after = simulator.step(before.pusher)
        np.testing.assert_allclose(after.block, before.block, atol=1e-6, err_msg=f"seed {seed}")
        assert after.contact == 0


def test_state_put_back_is_the_state_that_was_taken(simulator: PushTSimulator) -> None:
    state = PushTState(np.array([100.0, 200.0]), np.array([30.0, -20.0]), np.array([300.0, 250.0, 2.5]), contact=4)
    simulator.set_state(state)
    back = simulator.state
    for name in ("pusher", "pusher_velocity", "block", "contact"):
        np.testing.assert_allclose(getattr(back, name), getattr(state, name), atol=1e-9, err_msg=name)


def test_restored_scene_goes_on_as_the_first_did(simulator: PushTSimulator) -> None:
    start = simulator.reset(2)
    towards = start.pusher + np.linspace(0, 1, 25)[:, None] * (start.block[:2] - start.pusher)
    for target in towards[:8]:
        simulator.step(target)
    middle = simulator.state
    straight = [simulator.step(target) for target in towards[8:]]
    restored = replay(PushTSimulator(), middle, towards[8:])
    assert max(state.contact for state in straight) > 0
    for a, b in zip(straight, restored, strict=True):
        np.testing.assert_allclose(a.pusher, b.pusher, atol=1e-9)
        np.testing.assert_allclose(a.block, b.block, atol=0.5)


def test_pusher_lags_and_reaches_a_held_target(simulator: PushTSimulator) -> None:
    simulator.set_state(PushTState(np.array([40.0, 40.0]), np.zeros(2), np.array([350.0, 350.0, 0.0])))
    first = simulator.step([140.0, 40.0]).pusher
    assert 40.0 < first[0] < 90.0
    for _ in range(20):
        last = simulator.step([140.0, 40.0]).pusher
    np.testing.assert_allclose(last, [140.0, 40.0], atol=0.01)


@pytest.mark.parametrize("target", [[np.nan, 3.0], [1.0, np.inf], [1.0], [1.0, 2.0, 3.0], 5.0], ids=str)
def test_impossible_target_is_refused_and_changes_nothing(simulator: PushTSimulator, target: object) -> None:
    before = simulator.reset(1)
    with pytest.raises(InputError, match="target"):
        simulator.step(target)  # type: ignore[arg-type]
    np.testing.assert_array_equal(simulator.state.pusher, before.pusher)


def test_negative_seed_is_refused(simulator: PushTSimulator) -> None:
    with pytest.raises(InputError, match="seed"):
        simulator.reset(-1)


def test_without_gym_pusht_the_message_says_what_to_install() -> None:
    code = "import sys; sys.modules['gym_pusht'] = None; import lingbot_ros.tasks.pusht.simulator.simulator"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "gym-pusht is not installed; install lingbot_ros with its extra `sim`" in done.stderr


def test_import_prints_nothing() -> None:
    code = "import lingbot_ros.tasks.pusht.simulator.simulator as p; p.reset_frame(0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == ""
