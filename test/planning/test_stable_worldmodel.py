"""The planning protocol of stable-worldmodel, against what this package needs of it, and against the package itself."""

import importlib
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from lingbot_ros.errors import InputError
from lingbot_ros.planning.solvers import SolverSettings
from lingbot_ros.planning.stable_worldmodel import WorldCost, WorldSolver
from lingbot_ros.tasks.pusht.planning.stable_worldmodel import PushTReader
from lingbot_ros.world import World


class Space(NamedTuple):
    """Of two environments."""

    shape: tuple[int, ...] = (2, 2)


class Config(NamedTuple):
    """As their PlanConfig."""

    horizon: int = 5
    action_block: int = 5


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World.load("pusht-lasting", threads=1)
    yield made
    made.close()


def infos() -> dict[str, np.ndarray]:
    """What two environments tell, [E, 1, ...]: start and goal as images, and the names of things."""
    from lingbot_ros.tasks.pusht.planning.goals import make_goals

    goals = list(make_goals(2, seed=0))
    return {
        "pixels": np.stack([goal.image for goal in goals])[:, None],
        "goal": np.stack([goal.goal_image for goal in goals])[:, None],
        "id": np.array([["a"], ["b"]]),
    }


def test_their_solver_gets_costs_of_our_rollouts(world: World) -> None:
    pytest.importorskip("gym_pusht")
    info = infos()
    many = {key: np.repeat(value[:, None], 3, axis=1) for key, value in info.items()}
    model = WorldCost(PushTReader(world), action_dim=2)
    candidates = torch.zeros(2, 3, 5, 10)
    candidates[:, 1] = 0.3
    candidates[:, 2] = 9.0  # beyond the table: their offsets are not bounded, our actions are
    costs = model.get_cost(many, candidates)
    assert costs.shape == (2, 3)
    assert costs.dtype == candidates.dtype
    assert costs.isfinite().all()
    assert costs[0, 0] != costs[0, 1]
    assert torch.equal(model.criterion(many, candidates), costs)
    assert len(world.sessions) == 2  # one per environment, read once
    model.close()
    assert not world.sessions
    with pytest.raises(InputError, match="whole actions of 2"):
        model.get_cost(many, torch.zeros(2, 3, 5, 3))


def test_our_solver_answers_theirs_protocol(world: World) -> None:
    """The offsets that it returns lead, by the same world, to the cost that it tells."""
    pytest.importorskip("gym_pusht")
    solver = WorldSolver(PushTReader(world), SolverSettings(samples=32, iterations=3))
    solver.configure(action_space=Space(), n_envs=2, config=Config())
    assert (solver.n_envs, solver.action_dim, solver.horizon) == (2, 10, 5)
    info = infos()
    found = solver(info)
    assert found["actions"].shape == (2, 5, 10)
    assert not world.sessions
    model = WorldCost(PushTReader(world), action_dim=2)
    again = model.get_cost({key: value[:, None] for key, value in info.items()}, found["actions"][:, None])
    assert again[:, 0].tolist() == pytest.approx(found["costs"], abs=0.5)
    model.close()


def test_infos_without_images_are_refused(world: World) -> None:
    with pytest.raises(InputError, match="pixels: got no such entry"):
        PushTReader(world)({"state": np.zeros(7)}, 25)
    wrong: dict[str, np.ndarray] = {
        "pixels": np.zeros((3, 96, 96), np.float32),
        "goal": np.zeros((96, 96, 3), np.uint8),
    }
    with pytest.raises(InputError, match="without a transform"):
        PushTReader(world)(wrong, 25)


@pytest.fixture(scope="module")
def package() -> Iterator[Any]:
    """stable-worldmodel. The torchvision that it takes from an index does not fit a PyTorch built for the CPU alone."""
    if find_spec("stable_worldmodel") is None:
        pytest.skip("stable-worldmodel has an environment of its own, see docs/planning.md")
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    yield importlib.import_module("stable_worldmodel")
    del library


STARTS = (
    ((150.0, 150.0, 256.0, 250.0, 0.3, 0.0, 0.0), (230.0, 230.0, 285.0, 280.0, 0.3, 0.0, 0.0)),
    ((400.0, 300.0, 300.0, 280.0, 1.2, 0.0, 0.0), (340.0, 300.0, 250.0, 270.0, 1.2, 0.0, 0.0)),
    ((250.0, 420.0, 220.0, 250.0, 2.4, 0.0, 0.0), (300.0, 400.0, 220.0, 250.0, 2.4, 0.0, 0.0)),
)
"""State and goal: pusher, block and velocity, as their environment orders them."""


@pytest.mark.stable_worldmodel
@pytest.mark.parametrize("solvers", ["ours", "theirs"])
def test_goals_of_their_environment(world: World, package: Any, solvers: str) -> None:
    """Our solver in their environment, and their solver over our world; most goals are reached."""
    swm = package
    reached = []
    for number, (state, goal) in enumerate(STARTS):
        config = swm.PlanConfig(horizon=5, receding_horizon=5, action_block=5, warm_start=False)
        reader = PushTReader(world)
        if solvers == "ours":
            solver: Any = WorldSolver(reader, SolverSettings(samples=200, iterations=8))
        else:
            cost = WorldCost(reader, action_dim=2)
            solver = swm.solver.CEMSolver(cost, num_samples=150, n_steps=15, topk=15, var_scale=0.2)
        place = swm.World("swm/PushT-v1", num_envs=1, image_shape=(224, 224), max_episode_steps=50)
        place.set_policy(swm.policy.WorldModelPolicy(solver, config))
        options = {"state": np.array(state), "goal_state": np.array(goal)}
        done = place.evaluate(episodes=1, seed=number, options=options)
        reached.append(bool(done["episode_successes"][0]))
        place.close()
    print(f"{solvers}: {reached}")
    assert sum(reached) >= (3 if solvers == "ours" else 1)
