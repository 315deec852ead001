"""Fits the cloned policy to demonstrations, and measures it where no demonstration began."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from lingbot_ros.evaluate.policies.contract import Observation
from lingbot_ros.tasks.pusht.cloning.demonstrations import Demonstrations, demonstrate
from lingbot_ros.tasks.pusht.cloning.network import CloneNet
from lingbot_ros.tasks.pusht.cloning.policy import ClonedPolicy, from_units
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.evaluation.starts import make_starts
from lingbot_ros.tasks.pusht.head_training.fit import disturb, fit
from lingbot_ros.tasks.pusht.heads.files import save_head
from lingbot_ros.tasks.pusht.heads.networks import to_images
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

_BATCH = 64
_MEASURED_STEPS = 48
_SUCCESS = 0.90


def train_policy(
    out: Path, episodes: int, iterations: int, seed: int, command: str, *, starts: int = 50, quiet: bool = False
) -> None:
    """Demonstrate, fit, measure from so many starts, and write the head's folder `out`.

    Equal arguments give equal weights.
    """
    watched = tqdm(demonstrate(episodes, seed), total=episodes, unit="episode", desc="expert", disable=quiet)
    shown = list(watched)
    network = fit_policy(
        Demonstrations(
            np.concatenate([part.images for part in shown]), np.concatenate([part.actions for part in shown])
        ),
        iterations,
        seed,
        quiet,
    )
    save_head(
        out,
        network,
        {
            "name": out.name,
            "kind": "policy",
            "summary": "plays Push-T from images alone, by imitation of the planning expert",
            "licence": "Apache-2.0",
            "calibration": {},
            "quality": {
                "success in the simulator": f"{success_rate(network, starts):.2f} of {starts} starts within "
                f"{_MEASURED_STEPS} steps, coverage {_SUCCESS:.2f}"
            },
            "training": {"command": command, "images": sum(len(part.images) for part in shown)},
            "limits": ("it knows blocks near the goal alone, as starts of an evaluation are",),
        },
    )


def fit_policy(shown: Demonstrations, iterations: int, seed: int, quiet: bool = False) -> CloneNet:
    """A network fitted to the demonstrations."""
    torch.manual_seed(seed)
    generator, network = torch.Generator().manual_seed(seed), CloneNet()

    def loss_of_batch(iteration: int) -> Tensor:
        rows = torch.randint(len(shown.images), (_BATCH,), generator=generator).numpy()
        images = disturb(to_images(shown.images[rows], "images", (96, 96, 3)), generator)
        return network(images).loss(from_units(torch.from_numpy(shown.actions[rows])))

    fit(network, loss_of_batch, iterations, quiet)
    return network


def success_rate(network: CloneNet, starts: int) -> float:
    """How often it reaches coverage 0.90 in the simulator from the starts of an evaluation with seed 0."""
    policy, simulator = ClonedPolicy(network), PushTSimulator()
    reached = [_best(policy, simulator, start.state) for start in make_starts(starts, seed=0)]
    return float(np.mean([best >= _SUCCESS for best in reached]))


def _best(policy: ClonedPolicy, simulator: PushTSimulator, state: PushTState) -> float:
    simulator.reset(0)
    simulator.set_state(state)
    best, step = 0.0, 0
    while step < _MEASURED_STEPS:
        for target in policy.act(Observation(simulator.render(), step)).tolist():
            best = max(best, coverage_of(simulator.advance((target[0], target[1]))))
            step += 1
    return best
