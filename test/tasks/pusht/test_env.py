"""The imagined Push-T environment: gymnasium's own checker, and single against vector."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from lingbot_ros.errors import InputError

ID = "lingbot_ros.gym:lingbot/PushT-v0"
SIZE = (96, 96, 3)


# Actions are in the model's own units, by the contract of its card; gymnasium only recommends normalised ones.
@pytest.mark.filterwarnings("error", "ignore:.*symmetric and normalized", "ignore:pkg_resources")
def test_gymnasium_finds_nothing_to_complain_about() -> None:
    env = gymnasium.make(ID, render_mode="rgb_array", threads=1)
    check_env(env.unwrapped)
    env.close()


def test_an_episode_ends_where_the_model_is_no_longer_to_be_trusted() -> None:
    env = gymnasium.make(ID, threads=1)
    first, info = env.reset(seed=1)
    assert first.shape == SIZE and set(info) == {"coverage", "success_probability", "is_success"}
    horizon = env.unwrapped.parts.world.info.max_horizon
    for step in range(1, horizon + 1):
        picture, reward, terminated, truncated, _ = env.step(np.array([256, 256], np.float32))
        assert not terminated and 0 <= reward <= 1
        assert truncated == (step == horizon)
    assert (picture != first).any()
    env.close()


def test_a_model_that_doubts_its_frames_says_so_in_info() -> None:
    single = gymnasium.make(ID, model="pusht-lasting", threads=1)
    vector = gymnasium.make_vec(ID, num_envs=2, model="pusht-lasting", threads=1)
    assert 0.9 < single.reset(seed=1)[1]["trust"] <= 1 and (vector.reset(seed=1)[1]["trust"] > 0.9).all()
    action = np.array([256, 256], np.float32)
    assert 0 < single.step(action)[4]["trust"] <= 1 and vector.step(np.stack([action] * 2))[4]["trust"].shape == (2,)
    single.close(), vector.close()


def test_a_vector_environment_is_its_single_ones_and_resets_by_itself() -> None:
    vector = gymnasium.make_vec(ID, num_envs=2, horizon=3, threads=1)
    singles = [gymnasium.make(ID, horizon=3, threads=1) for _ in range(2)]
    pictures, _ = vector.reset(seed=5)
    for n, env in enumerate(singles):
        assert (env.reset(seed=5 + n)[0] == pictures[n]).all()
    rng = np.random.default_rng(0)
    for step in range(5):
        actions = rng.uniform(100, 400, (2, 2)).astype(np.float32)
        pictures, rewards, _, truncated, info = vector.step(actions)
        if step == 3:  # the step after the end: reset, action not looked at
            assert not truncated.any() and (rewards == 0).all()
            alone = [env.reset() for env in singles]
            assert all((pictures[n] == alone[n][0]).all() for n in range(2))
            continue
        assert truncated.all() == (step == 2)
        for n, env in enumerate(singles):
            picture, reward, _, cut, _ = env.step(actions[n])
            assert cut == truncated[n]
            assert np.abs(picture.astype(int) - pictures[n]).max() <= 1
            assert reward == pytest.approx(rewards[n], abs=1e-2)
    assert info["coverage"].shape == (2,)


def test_a_vector_environment_keeps_gymnasiums_contract() -> None:
    vector = gymnasium.make_vec(ID, num_envs=2, max_episode_steps=2, threads=1, autoreset_mode="DISABLED")
    assert vector.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    vector.reset(seed=5)
    assert vector.np_random_seed == 5
    first, _ = vector.reset(seed=(5, 6))
    assert (first == vector.reset(seed=np.int64(5))[0]).all()
    middle = np.full((2, 2), 256, np.float32)
    assert [vector.step(middle)[3].tolist() for _ in range(2)] == [[False] * 2, [True] * 2]
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"\[0, 1\] ended"):
        vector.step(middle)
    images, _ = vector.reset(seed=[None, 6], options={"reset_mask": np.array([False, True])})
    assert (images[1] == first[1]).all() and (images[0] != first[0]).any()
    for wrong in ([True, False, True], [0, 1], np.zeros(2, bool)):
        with pytest.raises(InputError, match="reset_mask"):
            vector.reset(options={"reset_mask": wrong})
    with pytest.raises(InputError, match="3 of them"):
        vector.reset(seed=(1, 2, 3))
    vector.close()
    for call in (lambda: vector.step(middle), vector.reset):
        with pytest.raises(gymnasium.error.ClosedEnvironmentError):
            call()
    for wrong in ({"max_episode_steps": 0}, {"autoreset_mode": "SOMETIMES"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            gymnasium.make_vec(ID, num_envs=2, threads=1, **wrong)


def test_same_step_returns_the_next_first_image_and_keeps_the_last() -> None:
    same, later = (
        gymnasium.make_vec(ID, num_envs=2, horizon=2, threads=1, autoreset_mode=mode)
        for mode in ("SAME_STEP", AutoresetMode.NEXT_STEP)
    )
    middle = np.full((2, 2), 256, np.float32)
    assert (same.reset(seed=1)[0] == later.reset(seed=1)[0]).all()
    for _ in range(2):
        images, rewards, _, truncated, info = same.step(middle)
        last, expected, *_ = later.step(middle)
    assert truncated.all() and info["_final_obs"].all() and (rewards == expected).all()
    assert (np.stack(info["final_obs"]) == last).all()
    assert (images == later.step(middle)[0]).all()
    assert not same.step(middle)[3].any()


def test_a_image_can_be_given_and_bad_input_is_named() -> None:
    env = gymnasium.make(ID, start="card", threads=1).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(np.zeros(2, np.float32))
    given = np.full((48, 48, 3), 255, np.uint8)
    assert (env.reset(options={"image": given})[0] == 255).all()
    with pytest.raises(InputError, match=r"action\[0\].x"):
        env.step(np.array([600, 0], np.float32))
    with pytest.raises(InputError, match="start: got 'nowhere'"):
        gymnasium.make(ID, start="nowhere")


def test_a_real_image_takes_the_place_of_an_imagined_one_and_the_horizon_counts_from_it() -> None:
    env, twin = (gymnasium.make(ID, start="card", horizon=3, threads=1).unwrapped for _ in range(2))
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.observe(np.zeros(SIZE, np.uint8), np.zeros(2, np.float32))
    first, _ = env.reset(seed=1)
    twin.reset(seed=1)
    action, real = np.array([300, 300], np.float32), np.ascontiguousarray(first[::-1])
    assert not any(world.step(action)[3] for world in (env, twin) for _ in range(2))
    picture, _, _, truncated, info = env.observe(real, action)
    assert (picture == real).all() and not truncated and "coverage" in info
    assert twin.step(action)[3]
    assert [env.step(action)[3] for _ in range(3)] == [False, False, True]
    assert (env.step(action)[0] != twin.step(action)[0]).any()


def test_the_documented_example_runs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    example = text.split("## A Gymnasium environment")[1].split("```python")[1].split("```")[0]
    exec(example, {})


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
def test_a_copy_goes_on_alike_and_apart(copied: Callable[[Any], Any]) -> None:
    env = gymnasium.make(ID, threads=1)
    env.reset(seed=3)
    action = np.array([200, 300], np.float32)
    env.step(action)
    other = copied(env)
    seen = [env.step(action)[0] for _ in range(3)]
    np.testing.assert_array_equal([other.step(action)[0] for _ in range(3)], seen)
    np.testing.assert_array_equal(other.reset()[0], env.reset()[0])
    fresh = copied(gymnasium.make(ID, threads=1))
    with pytest.raises(gymnasium.error.ResetNeeded):
        fresh.step(action)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
def test_a_copy_of_a_vector_goes_on_alike(copied: Callable[[Any], Any]) -> None:
    vector = gymnasium.make_vec(ID, num_envs=2, horizon=3, threads=1)
    vector.reset(seed=5)
    actions = np.array([[200, 300], [300, 100]], np.float32)
    vector.step(actions)
    other = copied(vector)
    for _ in range(3):
        for one, two in zip(vector.step(actions)[:4], other.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(one, two)


def test_a_mask_says_which_environments_begin_anew() -> None:
    vector = gymnasium.make_vec(ID, num_envs=3, horizon=5, threads=1)
    with pytest.raises(gymnasium.error.ResetNeeded, match="reset all environments"):
        vector.reset(options={"reset_mask": np.array([True, False, False])})
    first, _ = vector.reset(seed=5)
    moved, *_ = vector.step(np.full((3, 2), 300, np.float32))
    after, _ = vector.reset(seed=[None, 6, None], options={"reset_mask": np.array([False, True, False])})
    np.testing.assert_array_equal(after, [moved[0], first[1], moved[2]])
    ends = [vector.step(np.full((3, 2), 300, np.float32))[3].tolist() for _ in range(4)]
    assert ends[-1] == [True, False, True]
    for wrong in (np.ones(2, bool), np.zeros(3, bool), np.ones(3)):
        with pytest.raises(InputError, match="reset_mask"):
            vector.reset(options={"reset_mask": wrong})
