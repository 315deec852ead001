"""The imagined Push-T as an environment of LeRobot: its observations here, `lerobot-eval` itself where it is installed.

    LEROBOT_PYTHON=../lerobot-env/bin/python ./lingbot test test/evaluate/policies/test_lerobot_env.py -m slow

needs an environment into which LeRobot, this package and docs/examples/lerobot_env_lingbot are installed.
"""

import json
import os
import subprocess
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from lingbot_ros.tasks.pusht.image_reader import pusher_position

ROOT = Path(__file__).parents[3]
PLUGIN = ROOT / "docs" / "examples" / "lerobot_env_lingbot"
PYTHON = os.environ.get("LEROBOT_PYTHON")


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes the environment; LeRobot itself is not needed for it."""
    monkeypatch.syspath_prepend(str(PLUGIN / "lerobot_env_lingbot"))
    from env import PushTForLeRobot

    return lambda: PushTForLeRobot("pusht-lasting", "pusht-outcome", "card", episode_length=5, threads=1)


def test_observations_have_the_image_and_the_pusher_read_off_it(make: object) -> None:
    envs = gymnasium.vector.SyncVectorEnv([make, make])  # type: ignore[list-item]
    seen, _ = envs.reset(seed=[0, 1])
    assert seen["pixels"].shape == (2, 96, 96, 3) and seen["pixels"].dtype == np.uint8
    assert seen["agent_pos"].shape == (2, 2) and seen["agent_pos"].dtype == np.float32
    assert envs.call("_max_episode_steps") == (5, 5)
    assert envs.call("task_description")[0].startswith("Push the T")
    for _ in range(5):
        seen, rewards, terminated, truncated, info = envs.step(np.array([[300.0, 300.0], [100.0, 400.0]], np.float32))
    np.testing.assert_allclose(seen["agent_pos"][0], pusher_position(seen["pixels"][0]), rtol=1e-6)
    assert not np.allclose(seen["agent_pos"][0], seen["agent_pos"][1])
    assert truncated.all() or terminated.any()
    assert rewards.shape == (2,) and info["is_success"].shape == (2,)
    assert envs.call("render")[0].shape == (96, 96, 3)


@pytest.mark.slow
@pytest.mark.skipif(PYTHON is None, reason="LEROBOT_PYTHON names no environment")
def test_lerobot_eval_plays_a_policy_in_the_imagined_world(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, PLUGIN))), "OMP_NUM_THREADS": "1"}

    def run(*words: object) -> str:
        done = subprocess.run(
            [str(PYTHON), *map(str, words)], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    example = ROOT / "docs" / "examples" / "policies" / "train_act.py"
    run(example, "--out", tmp_path / "act", "--episodes", "3", "--iterations", "5")
    run("-m", "lerobot.scripts.lerobot_eval", f"--policy.path={tmp_path / 'act'}", "--policy.device=cpu",
        "--env.discover_packages_path=lerobot_env_lingbot", "--env.type=lingbot_pusht", "--env.episode_length=12",
        "--eval.n_episodes=2", "--eval.batch_size=2", f"--output_dir={tmp_path / 'out'}")  # fmt: skip
    found = json.loads((tmp_path / "out" / "eval_info.json").read_text())
    assert found["overall"]["n_episodes"] == 2
    assert 0.0 <= found["overall"]["avg_max_reward"] <= 1.0
