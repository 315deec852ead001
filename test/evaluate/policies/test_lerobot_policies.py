"""Policies of LeRobot in LeRobot's own environment. LEROBOT_PYTHON names its Python; without it nothing is run.

`docs/evaluation.md` says how such an environment is made. For the last test it also needs pytest and hypothesis:

    LEROBOT_PYTHON=../lerobot-env/bin/python ./lingbot test test/evaluate/policies/test_lerobot_policies.py -m slow
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies import Observation, Start
from lingbot_ros.evaluate.policies.policies_file import read_policies
from lingbot_ros.tasks.pusht.image_reader import pusher_position
from lingbot_ros.tasks.pusht.simulator.simulator import reset_frame

ROOT = Path(__file__).parents[3]
PYTHON = os.environ.get("LEROBOT_PYTHON")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PYTHON is None, reason="LEROBOT_PYTHON names no environment")]

REFERENCE = """
import json, sys, numpy as np, torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies import get_policy_class, make_pre_post_processors
from lerobot.envs.utils import preprocess_observation
path, frames, states = sys.argv[1], np.load(sys.argv[2]), np.load(sys.argv[3])
config = PreTrainedConfig.from_pretrained(path)
policy = get_policy_class(config.type).from_pretrained(path, config=config)
before, after = make_pre_post_processors(config, path)
policy.reset()
found = []
for frame, state in zip(frames, states):
    seen = preprocess_observation({"pixels": frame[None], "agent_pos": state[None]})
    with torch.inference_mode():
        found.append(after(policy.select_action(before(seen))).squeeze(0).tolist())
print(json.dumps(found))
"""


def lerobot(*words: object) -> str:
    """What LeRobot's Python prints."""
    done = subprocess.run(
        [str(PYTHON), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ACT policy that LeRobot trained by behaviour cloning, for a moment only."""
    out = tmp_path_factory.mktemp("lerobot") / "act"
    example = ROOT / "docs" / "examples" / "policies" / "train_act.py"
    assert "wrote" in lerobot(example, "--out", out, "--episodes", "3", "--iterations", "5")
    return out


def test_a_policy_folder_acts_as_lerobot_s_own_evaluation_lets_it(folder: Path, tmp_path: Path) -> None:
    """Processors, image keys, state, queue of actions: bit for bit what LeRobot computes for the same frames."""
    frames = np.stack([reset_frame(seed) for seed in range(7)])
    states = np.stack([pusher_position(frame) for frame in frames]).astype(np.float32)
    np.save(tmp_path / "frames.npy", frames)
    np.save(tmp_path / "states.npy", states)
    expected = json.loads(
        lerobot("-c", REFERENCE, folder, tmp_path / "frames.npy", tmp_path / "states.npy").splitlines()[-1]
    )
    (tmp_path / "policies.yaml").write_text(f"policies: [{{name: act, lerobot: {folder}, python: {PYTHON}}}]")
    (policy,) = read_policies(tmp_path / "policies.yaml")
    start = Start("a", frames[0])
    try:
        assert policy.begin(0, start, 1) is None and policy.begin(1, start, 2) is None
        for step, frame in enumerate(frames):
            seen = Observation(frame, step, "", pusher_position)
            # The second row's rollout is at another frame; the two must not share a queue.
            mine, _ = policy.act([0, 1], [seen, Observation(frames[6 - step], step, "", pusher_position)])
            assert np.asarray(mine).tolist() == expected[step]
    finally:
        policy.close()


def test_the_core_runs_inside_lerobot_s_environment(tmp_path: Path) -> None:
    """Statistics, files, and an evaluation with the model, with that environment's NumPy and PyTorch."""
    tests = [ROOT / "test" / "evaluate" / name for name in ("statistics", "results", "rollouts/test_store.py")]
    said = lerobot("-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert "passed" in said and "failed" not in said
    still = (
        "{name: still, entry_point: 'lingbot_ros.tasks.pusht.evaluation.policies:make_policy', config: {kind: still}}"
    )
    (tmp_path / "policies.yaml").write_text(f"policies: [{still}]")
    words = ["--rollouts", 2, "--horizon", 4, "--no-controls", "--policies", tmp_path / "policies.yaml"]
    said = lerobot("-m", "lingbot_ros.cli.main", "evaluate", *words, "--out", tmp_path / "report")
    assert "still" in said and (tmp_path / "report" / "index.html").is_file()


def test_image_keys_that_the_policy_does_not_know_are_told(folder: Path, tmp_path: Path) -> None:
    entry = f"{{name: act, lerobot: {folder}, python: {PYTHON}, image_keys: observation.images.top}}"
    (tmp_path / "policies.yaml").write_text(f"policies: [{entry}]")
    (policy,) = read_policies(tmp_path / "policies.yaml")
    failure = policy.begin(0, Start("a", reset_frame(0)), 1)
    policy.close()
    assert failure is not None and "image_keys" in failure.reason and "observation.image" in failure.reason
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "policies.yaml").write_text(f"policies: [{{name: a, lerobot: ., python: {PYTHON}}}]")
    with pytest.raises(InputError, match="model.safetensors is missing"):
        read_policies(tmp_path / "policies.yaml")
