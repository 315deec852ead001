"""Planning in Push-T: goals, costs, the true simulator as a world, closed loops with the shipped model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.cli.main import main
from lingbot_ros.errors import InputError
from lingbot_ros.planning.experiment import PlanOptions
from lingbot_ros.planning.futures import Futures
from lingbot_ros.planning.goal import GoalRequest
from lingbot_ros.planning.receding import Horizon
from lingbot_ros.planning.solvers import SolverSettings
from lingbot_ros.tasks.pusht.geometry import GOAL_POSE, IMAGE_SIZE, place, to_pixels
from lingbot_ros.tasks.pusht.planning.experiment import plan_trials
from lingbot_ros.tasks.pusht.planning.goal import PushTGoal, read_goal
from lingbot_ros.tasks.pusht.planning.goals import Goal, make_goals, reached
from lingbot_ros.tasks.pusht.planning.matched import DISTANCES, PERCENT, TURNS_DEG, make_matched_goals, wanted
from lingbot_ros.tasks.pusht.planning.pose_cost import LayerFrame, PoseGoal, Poses, read_poses
from lingbot_ros.tasks.pusht.planning.true_rollouts import TrueRollouts
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.world import World


@pytest.fixture(scope="module")
def goals() -> list[Goal]:
    return list(make_goals(3, seed=0))


@pytest.fixture(scope="module")
def world() -> World:
    return World.load("pusht-lasting")


def test_goals_repeat_and_are_what_the_expert_reaches(goals: list[Goal]) -> None:
    again = next(make_goals(1, seed=0))
    assert again.name == goals[0].name
    assert again.state.block.tolist() == goals[0].state.block.tolist()
    simulator = PushTSimulator()
    for goal in goals:
        assert not reached(goal.start, goal.state)
        simulator.reset(0)
        simulator.set_state(goal.start)
        for action in goal.actions:
            simulator.step(action)
        assert reached(simulator.state, goal.state)


def test_matched_goals_are_as_far_as_the_published_ones() -> None:
    asked = wanted(1000, seed=3)
    for column, published in enumerate((DISTANCES, TURNS_DEG)):
        np.testing.assert_allclose(np.percentile(asked[:, column], PERCENT), published, atol=0.5)
    simulator, found = PushTSimulator(), list(make_matched_goals(3, seed=0))
    assert len({goal.name for goal in found}) == 3
    for goal, (distance, turn) in zip(found, wanted(3, seed=0), strict=True):
        moved = np.concatenate((goal.state.pusher - goal.start.pusher, (goal.state.block - goal.start.block)[:2]))
        assert abs(np.linalg.norm(moved) - distance) < 10
        assert abs(np.rad2deg(abs(goal.state.block[2] - goal.start.block[2])) - turn) < 10
        simulator.reset(0)
        simulator.set_state(goal.start)
        np.testing.assert_array_equal(simulator.render(), goal.image)
        for action in goal.actions:
            simulator.step(action)
        assert reached(simulator.state, goal.state)


def test_success_counts_four_numbers_together_and_the_turn() -> None:
    def state(dx: float = 0.0, dy: float = 0.0, turn: float = 0.0) -> PushTState:
        return PushTState(np.array([100.0 + dx, 100.0]), np.zeros(2), np.array([300.0, 300.0 + dy, turn]))

    assert reached(state(14.0, 14.0), state())
    assert not reached(state(15.0, 15.0), state())
    assert reached(state(turn=np.pi - 0.1), state(turn=-np.pi + 0.1))
    assert not reached(state(turn=0.36), state())


@given(x=st.floats(0, 95), y=st.floats(0, 95), turn=st.floats(-3, 3), seed=st.integers(0, 99))
def test_layers_and_blocks_move_as_one(x: float, y: float, turn: float, seed: int) -> None:
    """A point of the T is found at the same pixel through either pose."""
    rng = np.random.default_rng(seed)
    block = np.array([*rng.uniform(100, 400, 2), rng.uniform(-3, 3)])
    frame = LayerFrame(np.array([*rng.uniform(20, 70, 2), 0.0]), block, IMAGE_SIZE)
    corner = np.array([60.0, 30.0])
    moved = frame.blocks(np.array([x, y, turn]))
    before = to_pixels(place(corner, block), IMAGE_SIZE) - frame.layer[:2]
    cosine, sine = np.cos(turn), np.sin(turn)
    by_layer = np.array([x + cosine * before[0] - sine * before[1], y + sine * before[0] + cosine * before[1]])
    assert to_pixels(place(corner, moved), IMAGE_SIZE) == pytest.approx(by_layer, abs=1e-6)


def test_the_cost_of_the_goal_itself_is_nothing() -> None:
    state = PushTSimulator().reset(3)
    frame = LayerFrame(np.array([*to_pixels(state.block[:2], IMAGE_SIZE), state.block[2]]), state.block, IMAGE_SIZE)
    layers = np.array([[*to_pixels(state.pusher, IMAGE_SIZE), 0.0], frame.layer])[None, None]
    goal = PoseGoal(Poses(state.pusher, state.block), frame)
    assert goal(Futures(np.zeros((1, 1, 2)), poses=layers)) == pytest.approx([0.0], abs=1e-9)
    layers[0, 0, 1, 2] += 2 * np.pi + 0.1
    assert goal(Futures(np.zeros((1, 1, 2)), poses=layers)) == pytest.approx([5.7], abs=1e-6)
    with pytest.raises(InputError, match="cost"):
        goal(Futures(np.zeros((1, 1, 2))))


def test_the_true_world_does_not_depend_on_the_order_of_candidates(goals: list[Goal]) -> None:
    rollouts = TrueRollouts(PushTSimulator(), goals[0].start)
    actions = np.stack([goals[0].actions, np.flip(goals[0].actions, axis=0)])
    forth, back = rollouts.roll(actions).poses, rollouts.roll(actions[::-1]).poses
    assert forth is not None
    assert back is not None
    assert back[1] == pytest.approx(forth[0], abs=1e-3)
    last = forth[0, -1]
    assert last[0, :2] == pytest.approx(to_pixels(goals[0].state.pusher, IMAGE_SIZE), abs=1e-6)
    assert last[1, :2] == pytest.approx(to_pixels(goals[0].state.block[:2], IMAGE_SIZE), abs=0.2)


def test_an_image_without_a_block_is_refused() -> None:
    with pytest.raises(InputError, match="goal: got an image"):
        read_poses(np.full((96, 96, 3), 255, np.uint8), "goal")


def test_the_shipped_world_reaches_goals_that_it_sees(world: World) -> None:
    options = PlanOptions("world", 3, 0, Horizon(25, 25, 50), SolverSettings(samples=64), film=1)
    done = plan_trials(world, options, lambda trial: None)
    assert sum(trial.success for trial in done.trials) >= 2
    assert all(count == 64 * 8 for trial in done.trials for count in trial.evaluated)
    real, imagined = done.films[0]
    assert real.shape == imagined.shape
    assert real.shape[1:] == (96, 96, 3)


@pytest.mark.parametrize(("planner", "successes"), [("expert", 3), ("still", 0)])
def test_baselines_do_not_plan(world: World, planner: str, successes: int) -> None:
    options = PlanOptions(planner, 3, 0, Horizon(25, 25, 50), SolverSettings())
    done = plan_trials(world, options, lambda trial: None)
    assert sum(trial.success for trial in done.trials) == successes
    assert not any(trial.plan_s for trial in done.trials)


def test_a_model_of_pixels_plans_on_its_images() -> None:
    options = PlanOptions("world", 1, 0, Horizon(5, 5, 5), SolverSettings("rank", samples=2))
    (trial,) = plan_trials(World.load("pusht-small", threads=1), options, lambda trial: None).trials
    assert not trial.problem
    assert trial.evaluated == (2,)
    assert trial.success or trial.predicted[0] > 0


def goal_of(world: World, **given: Any) -> PushTGoal:
    return read_goal(world, GoalRequest(**given))


def test_goals_as_images_poses_and_outcome(world: World, goals: list[Goal]) -> None:
    goal = goals[0]
    by_image = goal_of(world, kind="image", image=goal.goal_image)
    assert by_image.reached(goal.goal_image)
    assert not by_image.reached(goal.image)
    block = goal_of(world, kind="pose", pose=goal.state.block)
    assert block.reached(goal.goal_image)
    assert block.towards is None
    both = goal_of(world, kind="pose", pose=np.concatenate([goal.state.pusher, goal.state.block]))
    assert both.towards is not None
    assert both.towards.tolist() == goal.state.pusher.tolist()
    outcome = goal_of(world, kind="outcome")
    assert not outcome.reached(goal.image)
    simulator = PushTSimulator()
    simulator.set_state(PushTState(np.array([100.0, 100.0]), np.zeros(2), np.array(GOAL_POSE)))
    assert outcome.reached(simulator.render())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "image", "image": np.zeros((64, 96, 3), np.uint8)}, "goal_image: got shape"),
        ({"kind": "image", "image": np.full((96, 96, 3), 255, np.uint8)}, "goal_image: got an image"),
        ({"kind": "pose", "pose": np.array([1.0, 2.0])}, "goal_pose"),
        ({"kind": "pose", "pose": np.array([256.0, np.nan, 0.0])}, "goal_pose"),
        ({"kind": "pose", "pose": np.array([256.0, 600.0, 0.0])}, "goal_pose"),
        ({"kind": "outcome", "cost": "image"}, "cost"),
        ({"kind": "outcome", "cost": "beauty"}, "cost"),
    ],
)
def test_goals_that_cannot_be_read_name_their_field(world: World, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError, match=field):
        goal_of(world, **given)


def test_a_future_that_is_not_to_be_believed_costs_more(world: World, goals: list[Goal]) -> None:
    """The spread of a push exceeds that of standing still, and the penalty is the share of it that is not believed."""
    goal = goals[0]
    session = world.start(goal.image)
    costs = []
    for penalty in (0.0, 100.0):
        read = goal_of(world, kind="image", image=goal.goal_image, trust_penalty=penalty)
        problem = read.approach(session, goal.image).problem(len(goal.actions))
        actions = np.stack([goal.actions, np.repeat(goal.start.pusher[None], len(goal.actions), axis=0)])
        futures = problem.rollouts.roll(actions)
        assert (futures.spread_px is None) == (penalty == 0.0)
        costs.append(problem.cost(futures))
    spread = futures.spread_px
    assert spread is not None
    trust = world.card.trust
    assert trust is not None
    added = costs[1] - costs[0]
    assert added == pytest.approx([100 * (1 - trust.of(value)) for value in spread[:, -1]])
    for action in goal.actions:
        session.step(action[None])
    assert spread[0, -1] == pytest.approx(session.doubt_px, rel=1e-4)  # type: ignore[attr-defined]
    session.close()


def test_the_command_writes_record_and_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["plan", "--goals", "1", "--samples", "16", "--iterations", "2", "--execute", "5", "--out", str(tmp_path)]
    assert main(line) == 0
    record = json.loads((tmp_path / "planning.json").read_text())
    assert record["schema"] == "lingbot.planning/1"
    assert record["model"] == "pusht-lasting"
    assert len(record["trials"]) == 1
    assert (tmp_path / "planning.mp4").stat().st_size > 1000
    said = capsys.readouterr().out
    assert "95 % interval" in said
    assert "rollouts/s" in said


@pytest.mark.parametrize(
    "words", [["--goals", "0"], ["--seed", "-1"], ["--samples", "1"], ["--execute", "30"], ["--horizon", "201"]]
)
def test_bad_arguments_name_their_field(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *words]) != 0
    assert words[0].removeprefix("--") in capsys.readouterr().err
