"""What an evaluation of Push-T policies stands on: starts, the scorer against the simulator, graded policies."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies import Observation, Start
from lingbot_ros.evaluate.policies.policies_file import read_policies
from lingbot_ros.evaluate.rollouts.stepper import RowError
from lingbot_ros.tasks.pusht.block_pose import BlockPose, fit_block_pose, pose_error, track_block_pose
from lingbot_ros.tasks.pusht.evaluation.coverage import coverage_of
from lingbot_ros.tasks.pusht.evaluation.hands import Hand
from lingbot_ros.tasks.pusht.evaluation.policies import make_policy
from lingbot_ros.tasks.pusht.evaluation.stepper import PushTStepper
from lingbot_ros.tasks.pusht.evaluation.task import PushTPolicies
from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE, GOAL_POSE, PUSHER_RADIUS
from lingbot_ros.tasks.pusht.image_reader import read_shares
from lingbot_ros.tasks.pusht.simulator.policies import RandomPush
from lingbot_ros.tasks.pusht.simulator.push_plan import distance_to_tee
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("starts")


@pytest.fixture(scope="module")
def starts(folder: Path) -> list[Start]:
    return list(PushTPolicies().starts(3, 0, folder))


def play(policy_config: dict, start: Start, steps: int, seed: int = 1) -> tuple[list[list[float]], np.ndarray]:
    """The actions of a policy and the frames that it leads to in the simulator."""
    stepper, policy = PushTStepper(1), make_policy(**policy_config)
    policy.reset(seed)
    frames, actions = [np.asarray(stepper.start(0, start, 0))], []
    while len(actions) < steps:
        for action in np.atleast_2d(policy.act(Observation(frames[-1], len(actions)))):
            actions.append(action.tolist())
            frames.append(np.asarray(stepper.step({0: action[None]})[0])[0])
    return actions, np.stack(frames)


def near_the_goal(rng: np.random.Generator) -> PushTState:
    return PushTState(np.array([256.0, 90.0]), np.zeros(2), np.array(GOAL_POSE) + rng.normal(0, (20, 20, 0.3)))


def test_a_bare_step_is_the_simulator_s_to_the_last_bit_and_so_is_coverage() -> None:
    whole, bare = PushTSimulator(), PushTSimulator()
    rng = np.random.default_rng(0)
    state = near_the_goal(rng)
    whole.set_state(state)
    bare.set_state(state)
    policy, touched = RandomPush(rng), 0
    for target in (policy.target(whole.state) for _ in range(60)):
        after = whole.step(target)
        assert bare.advance(tuple(target.tolist())) == tuple(after.block)
        assert bare.state.pusher.tolist() == after.pusher.tolist()
        assert coverage_of(after.block) == pytest.approx(whole.coverage(), abs=1e-5)
        touched += after.contact > 0
    assert touched > 5
    assert np.isnan(coverage_of([np.nan] * 3))


def test_a_block_is_followed_as_well_as_it_is_found_and_found_again_when_it_jumps() -> None:
    simulator, rng = PushTSimulator(), np.random.default_rng(3)
    simulator.set_state(near_the_goal(rng))
    policy = RandomPush(rng)
    tracked = fit_block_pose(read_shares(simulator.render()))
    errors = []
    for _ in range(40):
        simulator.step(policy.target(simulator.state))
        tracked = track_block_pose(read_shares(simulator.render()), tracked)
        errors.append(pose_error(tracked.pose, simulator.state.block, 96))
    assert np.max(errors, axis=0)[0] < 0.5 and np.max(errors, axis=0)[1] < 4.0
    simulator.set_state(PushTState(np.array([40.0, 40.0]), np.zeros(2), np.array([380.0, 150.0, -2.0])))
    again = track_block_pose(read_shares(simulator.render()), tracked)
    assert pose_error(again.pose, simulator.state.block, 96)[0] < 0.5
    gone = track_block_pose(read_shares(np.full((96, 96, 3), 255, np.uint8)), again)
    assert np.isnan(gone.pose).all() and gone.iou == 0
    assert np.isfinite(track_block_pose(read_shares(simulator.render()), BlockPose(np.full(3, np.nan), 0.0)).pose).all()


def test_starts_are_far_from_solved_at_rest_clear_and_the_same_again(starts: list[Start], folder: Path) -> None:
    assert len({start.id for start in starts}) == 3
    for start in starts:
        assert coverage_of(start.state.block) < 0.80
        assert not start.state.pusher_velocity.any()
        assert distance_to_tee(start.state.pusher[None], start.state.block)[0] > PUSHER_RADIUS
        assert start.seen_in_training is False
        assert int(start.id.removeprefix("seed-")) >= 10_000
    for kept in (PushTPolicies().starts(3, 0, folder), PushTPolicies().starts(2, 0, folder / "elsewhere")):
        for again, start in zip(kept, starts, strict=False):
            assert (again.image == start.image).all()
            assert again.state.block.tolist() == start.state.block.tolist()
    other = next(PushTPolicies().starts(1, 1, folder / "other"))
    assert other.state.block.tolist() != starts[0].state.block.tolist()


def test_damaged_starts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "starts.json").write_text("{")
    with pytest.raises(InputError, match=r"^starts: .*damaged"):
        next(PushTPolicies().starts(1, 0, tmp_path))


def test_the_scorer_agrees_with_the_simulator_on_real_images(starts: list[Start]) -> None:
    task = PushTPolicies()
    said, true = [], []
    for start in starts:
        for config in ({"noise_units": 8}, {"kind": "random-pushes"}, {"kind": "still"}):
            actions, frames = play(config, start, 24)
            scores = task.scorer.begin(start, frames[0]).score(frames[1:])
            truth = np.array(task.true_scores(start, actions))
            assert np.abs(scores - truth).max() < 0.03
            said += [(scores >= threshold) for threshold in task.thresholds]
            true += [(truth >= threshold) for threshold in task.thresholds]
    assert (np.concatenate(said) == np.concatenate(true)).mean() >= 0.97
    assert np.concatenate(true).any()


def test_the_expert_solves_what_a_still_hand_does_not(starts: list[Start]) -> None:
    task = PushTPolicies()
    for config, low, high in (({}, 0.85, 1.0), ({"kind": "still"}, 0.0, 0.80), ({"flipped": 1}, 0.0, 0.85)):
        best = [max(task.true_scores(start, play(config, start, 40)[0])) for start in starts[:2]]
        assert low <= max(best) <= high


def test_a_policy_repeats_itself_for_a_seed_and_forgets_the_rollout_before(starts: list[Start]) -> None:
    config = {"noise_units": 16, "delay_steps": 2, "dropped": 0.3}
    first, other = play(config, starts[0], 8)[0], play(config, starts[0], 8, seed=2)[0]
    assert first != other
    policy = make_policy(**config)
    policy.reset(5)
    policy.act(Observation(starts[1].image, 0))
    policy.reset(1)
    again = policy.act(Observation(starts[0].image, 0)).tolist()
    assert first[:4] == again


def test_a_hand_does_what_its_keywords_say() -> None:
    rng, pusher = np.random.default_rng(0), np.array([100.0, 100.0])
    targets = np.array([[110.0, 100.0], [120.0, 100.0], [130.0, 100.0]])
    assert (Hand(rng).move(targets, pusher) == targets).all()
    assert Hand(rng, delay_steps=2).move(targets, pusher)[:, 0].tolist() == [100, 100, 110]
    assert Hand(rng, gain=0.5).move(targets, pusher)[:, 0].tolist() == [105, 112.5, 121.25]
    assert Hand(rng, bias_units=7).move(targets, pusher)[:, 0].tolist() == [117, 127, 137]
    assert Hand(rng, flipped=1).move(targets, pusher)[:, 0].tolist() == [90, 80, 70]
    assert Hand(rng, dropped=1.0).move(targets, pusher)[:, 0].tolist() == [100, 100, 100]
    noisy = Hand(rng, noise_units=8).move(np.full((400, 2), 256.0), np.full(2, 256.0)) - 256
    assert 7 < noisy.std() < 9


def test_every_policy_acts_on_a_image_without_a_block() -> None:
    for kind in ("planning", "random-pushes", "wandering", "still", "corner"):
        policy = make_policy(kind)
        policy.reset(0)
        actions = np.atleast_2d(policy.act(Observation(np.full((96, 96, 3), 255, np.uint8), 0)))
        assert np.isfinite(actions).all() and (actions >= 0).all() and (actions <= ARENA_SIZE).all()


@pytest.mark.parametrize(
    "config", [{"kind": "magic"}, {"strokes": 0}, {"speed": 3.0}, {"kind": "still", "noise_units": 8.0}]
)
def test_unknown_policies_are_refused(config: dict) -> None:
    with pytest.raises(InputError):
        make_policy(**config)


def test_the_shipped_policies_are_sixteen_and_a_learned_one() -> None:
    names = [policy.name for policy in read_policies(PushTPolicies().policies_file)]
    assert len(names) == 17 and names[0] == "expert" and "learned" in names


def test_a_start_without_a_state_cannot_be_simulated() -> None:
    assert isinstance(PushTStepper(1).start(0, Start("x", np.zeros((96, 96, 3), np.uint8)), 0), RowError)
