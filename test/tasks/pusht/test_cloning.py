"""The policy that learned by imitation: trained by the command, played here and by a server of the openpi kind."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.cli.main import main
from lingbot_ros.evaluate.policies import Observation, Start
from lingbot_ros.evaluate.policies.policies_file import read_policies
from lingbot_ros.tasks.pusht.cloning.demonstrations import Demonstrations, demonstrate
from lingbot_ros.tasks.pusht.cloning.policy import from_units, make_policy
from lingbot_ros.tasks.pusht.cloning.training import fit_policy
from lingbot_ros.tasks.pusht.heads.networks import to_images
from lingbot_ros.tasks.pusht.simulator.simulator import reset_frame

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads") / "cloned"
    words = ["--episodes", "1", "--iterations", "10", "--starts", "1", "--out", str(folder)]
    assert main(["train-head", "policy", *words]) == 0
    return folder


def test_the_expert_shows_what_it_meant_to_do_and_the_same_again() -> None:
    (first, second), (again, _) = list(demonstrate(2, seed=0)), list(demonstrate(2, seed=0))
    assert first.images.shape[1:] == (96, 96, 3) and first.actions.shape[1:] == (4, 2)
    assert len(first.images) == len(first.actions) > 3
    assert (first.images == again.images).all() and (first.actions == again.actions).all()
    assert first.images[0].tolist() != second.images[0].tolist()


def test_it_learns_what_it_is_shown_and_the_same_again() -> None:
    images = np.stack([reset_frame(seed) for seed in (0, 1)])
    actions = np.array([[[100, 100]] * 4, [[400, 300]] * 4], np.float32)
    shown = Demonstrations(images, actions)
    untrained, trained, again = (fit_policy(shown, count, seed=0, quiet=True) for count in (4, 16, 16))
    seen = to_images(images, "images", (96, 96, 3))
    before, after = (float(net(seen).loss(from_units(torch.from_numpy(actions)))) for net in (untrained, trained))
    assert after < before - 0.5
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), again.parameters(), strict=True))


def test_the_command_writes_a_head_that_plays_and_is_small(head: Path) -> None:
    assert (head / "head.safetensors").stat().st_size < 1_000_000
    assert "success in the simulator" in (head / "head.yaml").read_text()
    policy = make_policy(str(head))
    policy.reset(3)
    actions = policy.act(Observation(reset_frame(0), 0))
    assert actions.shape == (4, 2) and np.isfinite(actions).all()
    assert main(["train-head", "policy", "--episodes", "0", "--out", "x"]) == 2


def test_the_example_of_a_policy_server_is_played_like_the_policy_itself(head: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "docs/examples/policies/server.py"), "--port", "0", "--head", str(head)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = re.search(r"ws://\S+", server.stdout.readline())
        assert address is not None
        (tmp_path / "policies.yaml").write_text(
            f"policies: [{{name: served, server: '{address[0]}', execute_steps: 3}}]"
        )
        (policy,) = read_policies(tmp_path / "policies.yaml")
        image = reset_frame(5)
        assert policy.begin(0, Start("a", image), 1) is None
        (actions,) = policy.act([0], [Observation(image, 0)])
        expected = make_policy(str(head)).act(Observation(image, 0)).astype(np.float32)
        assert np.asarray(actions).tolist() == expected[:3].tolist()
        server.terminate()
        server.wait(20)
        (gone,) = policy.act([0], [Observation(image, 1)])
        assert gone.kind == "policy_gone"
        policy.close()
