"""Lets the policy try pushes, fits its network to what they did, and measures it from the starts of an evaluation."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from lingbot_ros.evaluate.policies.contract import Observation
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.evaluation.starts import make_starts
from lingbot_ros.tasks.pusht.head_training.fit import fit
from lingbot_ros.tasks.pusht.heads.files import save_head
from lingbot_ros.tasks.pusht.learned.network import PushNet, features, from_effects
from lingbot_ros.tasks.pusht.learned.policy import LearnedPolicy
from lingbot_ros.tasks.pusht.learned.pushes import Floats, Pushes, draw_pushes, try_pushes
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState

_BATCH = 256
_MEASURED_STEPS = 48
_SUCCESS = 0.90


def train_policy(
    out: Path, pushes: int, iterations: int, seed: int, command: str, *, starts: int = 50, quiet: bool = False
) -> None:
    """Try so many pushes, fit, measure from so many starts, and write the head's folder `out`.

    Equal arguments give equal weights.
    """
    tried = draw_pushes(pushes, np.random.default_rng(seed))
    watched = tqdm(try_pushes(tried), total=pushes, unit="push", desc="trying", disable=quiet)
    effects = np.stack(list(watched))
    network = fit_network(tried, effects, iterations, seed, quiet)
    reached = success_rate(network, starts)
    save_head(
        out,
        network,
        {
            "name": out.name,
            "kind": "policy",
            "summary": "plays Push-T from images alone, by what it learned of pushes",
            "licence": "Apache-2.0",
            "calibration": {},
            "quality": {
                "success in the simulator": f"{reached:.2f} of {starts} starts within {_MEASURED_STEPS} steps, "
                f"coverage {_SUCCESS:.2f}"
            },
            "training": {"command": command},
            "limits": ("it tried pushes in the open alone, so that it knows nothing of walls",),
        },
    )


def fit_network(tried: Pushes, effects: Floats, iterations: int, seed: int, quiet: bool = False) -> PushNet:
    """A network that says what pushes do; effects [n, reaches, 3], see `pushes.try_pushes`."""
    torch.manual_seed(seed)
    generator, network = torch.Generator().manual_seed(seed), PushNet()
    inputs, wanted = features(tried), from_effects(torch.from_numpy(effects).float())

    def loss_of_batch(iteration: int) -> Tensor:
        rows = torch.randint(len(inputs), (_BATCH,), generator=generator)
        # The mean of absolute errors: whether a push slips off an edge is a matter of a hair, and no mean of both.
        return (network(inputs[rows]) - wanted[rows]).abs().mean()

    fit(network, loss_of_batch, iterations, quiet)
    return network


def success_rate(network: PushNet, starts: int) -> float:
    """How often it reaches coverage 0.90 in the simulator from the starts of an evaluation with seed 0."""
    policy, simulator = LearnedPolicy(network), PushTSimulator()
    reached = [_best(policy, simulator, start.state) for start in make_starts(starts, seed=0)]
    return float(np.mean([best >= _SUCCESS for best in reached]))


def _best(policy: LearnedPolicy, simulator: PushTSimulator, state: PushTState) -> float:
    simulator.reset(0)
    simulator.set_state(state)
    policy.reset(0)
    best, step = 0.0, 0
    while step < _MEASURED_STEPS:
        for target in policy.act(Observation(simulator.render(), step))[: _MEASURED_STEPS - step].tolist():
            best = max(best, coverage_of(simulator.advance((target[0], target[1]))))
            step += 1
    return best
