"""Imagined rooms as Gymnasium environments: one, and many in one forward."""

import gymnasium
import numpy as np
import pytest

from lingbot_ros.errors import InputError

pytestmark = pytest.mark.model
ROOMS = "lingbot_ros.gym:lingbot/Rooms-v0"


@pytest.fixture(scope="module")
def env() -> gymnasium.Env:
    return gymnasium.make(ROOMS, threads=1)


def test_the_goal_is_there_to_be_found(env: gymnasium.Env) -> None:
    seen, info = env.reset(seed=3)
    assert env.observation_space.contains(seen) and not info["is_success"] and info["distance_m"] > 0.4
    errand = env.unwrapped._errand
    errand.pose[:] = errand.goal_pose  # as if one had walked there
    session = env.unwrapped._session
    for _ in range(2):  # from the start, in one move that nothing blocks, or not at all
        image = session.step(errand.goal_pose[None])[0]
    if not session.view.motion_blocked:
        assert np.abs(image.astype(int) - seen["goal"]).mean() < 12


def test_rewards_follow_the_distance_and_walls_block(env: gymnasium.Env) -> None:
    _, info = env.reset(seed=3)
    total, blocked = 0.0, False
    for _ in range(40):
        _, reward, terminated, _, now = env.step(np.array([1.0, 0.0], np.float32))
        total, blocked = total + reward, blocked or now["motion_blocked"]
        if terminated:
            total -= 1
            break
    assert total == pytest.approx(info["distance_m"] - now["distance_m"], abs=1e-6)
    with pytest.raises(InputError, match="action"):
        env.unwrapped.step(np.array([2.0, 0.0]))


def test_many_begin_like_one_and_go_on_alike(env: gymnasium.Env) -> None:
    many = gymnasium.make_vec(ROOMS, num_envs=2, threads=1)
    seen, info = many.reset(seed=4)
    one, alone = env.reset(seed=5)
    assert np.array_equal(seen["goal"][1], one["goal"]) and info["distance_m"][1] == alone["distance_m"]
    for _ in range(3):
        seen, reward, _, _, _ = many.step(np.array([[0.0, 1.0], [0.5, 0.2]], np.float32))
        one, gained, _, _, _ = env.step(np.array([0.5, 0.2], np.float32))
        assert np.abs(seen["image"][1].astype(int) - one["image"]).mean() < 0.5
        assert reward[1] == pytest.approx(gained, abs=1e-3)
    many.close()
