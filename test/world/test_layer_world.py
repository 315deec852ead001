"""The shipped world of rigid layers behind the contract of every world."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.errors import EngineError, InputError, SessionError, SnapshotError
from lingbot_ros.tasks.pusht.block_pose import fit_block_pose
from lingbot_ros.tasks.pusht.image_reader import pusher_centre, read_shares
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState
from lingbot_ros.world import Batch, World
from lingbot_ros.world.rollout import roll_poses
from lingbot_ros.world.snapshot import Snapshot

pytestmark = pytest.mark.model
NAME = "pusht-lasting"


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(NAME, threads=1)


@pytest.fixture(scope="module")
def actions(world: World) -> np.ndarray:
    """A way that pushes the block of the seed image about: [40, 2]."""
    centre = pusher_centre(read_shares(world.seed_image())) * 512 / 96
    block = fit_block_pose(read_shares(world.seed_image())).pose[:2]
    way = np.linspace(centre, block + (block - centre) * 0.3, 40)
    return np.clip(way + np.random.default_rng(0).normal(0, 4, way.shape), 0, 512)


def test_straight_forked_and_restored_sessions_show_the_same(world: World, actions: np.ndarray, tmp_path: Path) -> None:
    session = world.start(world.seed_image())
    for action in actions[:12]:
        session.step(action[None])
    fork = session.fork()
    session.snapshot().save(tmp_path / "one")
    restored = world.restore(Snapshot.load(tmp_path / "one"))
    for action in actions[12:]:
        frame = session.step(action[None])
        assert np.array_equal(frame, fork.step(action[None])) and np.array_equal(frame, restored.step(action[None]))
    assert (frame != world.seed_image()).any()
    fork.close(), restored.close(), session.close()


@pytest.mark.parametrize("other", [np.zeros((1, 2, 4, 160, 160)), np.zeros((1, 2, 160, 160, 4))], ids=["shape", "type"])
def test_a_snapshot_that_keeps_textures_in_another_way_is_refused(world: World, other: np.ndarray) -> None:
    session = world.start(world.seed_image())
    snapshot = session.snapshot()
    tensors = snapshot.tensors | {"layers.textures": torch.from_numpy(other).float()}
    with pytest.raises(SnapshotError, match=r"layers.textures is float32 .* keeps uint8 .* or start a new session"):
        session.restore(dataclasses.replace(snapshot, tensors=tensors))
    session.restore(snapshot)
    session.close()


def test_rolled_poses_are_those_of_stepping(world: World, actions: np.ndarray) -> None:
    session = world.start(world.seed_image())
    rolled = roll_poses(session.rollout_state, np.stack([actions, actions[::-1]]))
    stepped = []
    for action in actions:
        session.step(action[None])
        stepped.append(session.rollout_state.bodies.poses[0].numpy())
    assert np.abs(rolled[0].numpy() - np.stack(stepped)).max() < 1e-5
    assert float((rolled[0, -1, 1] - rolled[0, 0, 1]).abs().max()) > 0.5  # the block was pushed
    with pytest.raises(InputError, match="actions"):
        roll_poses(session.rollout_state, np.full((1, 2, 2), np.nan))
    session.close()


@pytest.mark.parametrize(
    "actions",
    [
        None,
        "left",
        [[[1.0, 2.0], [3.0]]],
        np.zeros((0, 3, 2)),
        np.zeros((2, 0, 2)),
        np.zeros((2, 3, 3)),
        [[[np.nan, 0]]],
    ],
    ids=["none", "text", "ragged", "no rows", "no frames", "other size", "NaN"],
)
def test_actions_that_cannot_be_rolled_are_named(world: World, actions: object) -> None:
    session = world.start(world.seed_image())
    with pytest.raises(InputError, match="actions: got"):
        roll_poses(session.rollout_state, actions)  # type: ignore[arg-type]
    session.close()


def test_batch_rows_are_sessions(world: World, actions: np.ndarray) -> None:
    batch, session = Batch(world, 2), world.start(world.seed_image())
    with pytest.raises(SessionError, match="row 0 was never started"):
        batch.step(np.zeros((2, 1, 2)))
    for row in range(2):
        batch.start(row, world.seed_image(), seed=row)
    for first, second in zip(actions, actions[::-1], strict=True):
        together = batch.step(np.stack([first, second])[:, None])
        assert np.array_equal(together[0], session.step(first[None]))
    session.close()


def test_what_is_observed_resets_the_world(world: World, actions: np.ndarray) -> None:
    true, wrong = world.start(world.seed_image()), world.start(world.seed_image())
    for action in actions[:30]:
        real = true.step(action[None])
        wrong.step(actions[:1])
    before = wrong.rollout_state.bodies.poses.clone()
    wrong.observe(real, actions[29:30])
    after, truth = wrong.rollout_state.bodies.poses, true.rollout_state.bodies.poses
    assert float((after - truth)[0, :, :2].abs().max()) < 0.3 < float((before - truth)[0, :, :2].abs().max())
    assert wrong.frames_since_real == 0
    true.close(), wrong.close()


def test_a_step_that_is_refused_changes_nothing(world: World, actions: np.ndarray) -> None:
    session, other = world.start(world.seed_image()), world.start(world.seed_image())
    with pytest.raises(InputError, match=r"action\[0\].x"):
        session.step([[np.nan, 0.0]])
    with pytest.raises(InputError, match="image"):
        world.start(np.full((96, 96, 3), 255, np.uint8))
    assert np.array_equal(session.step(actions[:1]), other.step(actions[:1]))
    assert len(world.sessions) == 2
    session.close(), other.close()


@pytest.mark.parametrize("option", [{"device": "cuda"}, {"precision": "int8"}, {"engine": "other"}], ids=str)
def test_options_that_layers_do_not_have_are_refused(option: dict[str, str]) -> None:
    with pytest.raises((EngineError, InputError), match=next(iter(option))):
        World.load(NAME, **option)


def test_the_world_says_what_it_is(world: World) -> None:
    assert world.info.weights_bytes < 2_000_000 and world.info.engine.device == "cpu"
    assert dataclasses.asdict(world.info)["frames_per_chunk"] == 1


@pytest.mark.parametrize("block", [(154.1, 353.3, 5.48), (193.9, 365.8, 3.25), (349.1, 207.7, 0.31)])
def test_a_block_that_was_moved_by_hand_is_observed(world: World, block: tuple[float, float, float]) -> None:
    """No pixel of it lies near where the world believes the block."""
    simulator = PushTSimulator()
    pusher, rest = np.array((100.0, 100.0)), np.zeros(2)
    simulator.reset(0)
    simulator.set_state(PushTState(pusher, rest, np.array((309.2, 217.4, 0.25))))
    session = world.start(simulator.render())
    simulator.set_state(PushTState(pusher, rest, np.array(block)))
    session.observe(simulator.render()[None], pusher[None])
    assert session.step(pusher[None]).shape == (1, 96, 96, 3)
    session.close()
