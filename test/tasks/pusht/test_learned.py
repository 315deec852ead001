"""The policy that learned what pushes do: trained by the command, played here and by a server of the openpi kind."""

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
from lingbot_ros.tasks.pusht.evaluation.demonstrations import demonstrate
from lingbot_ros.tasks.pusht.geometry import PUSHER_RADIUS
from lingbot_ros.tasks.pusht.heads.files import load_head
from lingbot_ros.tasks.pusht.learned.network import PushNet, features, to_effects
from lingbot_ros.tasks.pusht.learned.policy import SHIPPED, make_policy
from lingbot_ros.tasks.pusht.learned.pushes import REACHES, draw_pushes, try_pushes
from lingbot_ros.tasks.pusht.learned.training import fit_network, success_rate
from lingbot_ros.tasks.pusht.simulator.push_plan import distance_to_tee
from lingbot_ros.tasks.pusht.simulator.simulator import reset_frame

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads") / "learned"
    words = ["--pushes", "20", "--iterations", "10", "--starts", "1", "--out", str(folder)]
    assert main(["train-head", "policy", *words]) == 0
    return folder


def test_the_expert_shows_what_it_meant_to_do_and_the_same_again() -> None:
    (first, second), (again, _) = list(demonstrate(2, seed=0)), list(demonstrate(2, seed=0))
    assert first.images.shape[1:] == (96, 96, 3) and first.actions.shape[1:] == (4, 2)
    assert len(first.images) == len(first.actions) > 3
    assert (first.images == again.images).all() and (first.actions == again.actions).all()
    assert first.images[0].tolist() != second.images[0].tolist()


def test_pushes_begin_clear_of_the_block_and_move_it_where_they_go() -> None:
    pushes = draw_pushes(8, np.random.default_rng(0))
    assert (distance_to_tee(pushes.start, np.zeros(3)) > PUSHER_RADIUS).all()
    effects = np.stack(list(try_pushes(pushes)))
    assert effects.shape == (8, len(REACHES), 3)
    forward = (effects[:, -1, :2] * pushes.along).sum(-1)
    assert (forward > 5.0).all()
    # The block has no momentum: it never goes farther than it is pushed.
    assert (np.linalg.norm(effects[:, -1, :2], axis=-1) < REACHES[-1] + PUSHER_RADIUS).all()


def test_it_learns_what_pushes_do_and_the_same_again() -> None:
    pushes = draw_pushes(24, np.random.default_rng(1))
    effects = np.stack(list(try_pushes(pushes)))
    networks = [fit_network(pushes, effects, count, seed=0, quiet=True) for count in (10, 150, 150)]
    with torch.inference_mode():
        missed = [np.abs(to_effects(net(features(pushes))).numpy() - effects).mean() for net in networks]
    assert missed[1] == missed[2] < missed[0] / 3


def test_the_command_writes_a_head_that_plays_and_is_small(head: Path) -> None:
    assert (head / "head.safetensors").stat().st_size < 1_000_000
    assert "success in the simulator" in (head / "head.yaml").read_text()
    policy = make_policy(str(head))
    policy.reset(3)
    actions = policy.act(Observation(reset_frame(0), 0))
    assert actions.shape[1] == 2 and np.isfinite(actions).all()
    assert main(["train-head", "policy", "--pushes", "0", "--out", "x"]) == 2


def test_without_a_block_it_waits() -> None:
    white = np.full((96, 96, 3), 255, np.uint8)
    actions = make_policy().act(Observation(white, 0))
    assert (actions == actions[0]).all()


def test_the_shipped_one_succeeds_more_often_than_not() -> None:
    network = PushNet()
    load_head(SHIPPED, "policy", network)
    assert success_rate(network, starts=4) > 0.5


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
