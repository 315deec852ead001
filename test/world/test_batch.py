"""A batch of rows against the sessions that they stand for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.engine.interface import EngineOptions, GraphSpec
from lingbot_ros.engine.torch_engine import TorchContext, TorchEngine, TorchProgram
from lingbot_ros.errors import EngineError, InputError, SessionError, SnapshotError
from lingbot_ros.model.autoencoder import Frames
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.world import Batch, LoadedModel, Session, World
from lingbot_ros.world.tile import tile_sizes
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import FOUR_STEP_COMMIT, LAYERS, MOTION, ONE_STEP, VELOCITY, write_tiny_model

RNG = np.random.default_rng(3)
IMAGES = RNG.integers(0, 256, (4, 32, 32, 3), np.uint8)
ACTIONS = RNG.uniform(0, 512, (4, 16, 2))
ONE_LEVEL = 1
"""Of grey: matrix products of more rows add in another order."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.load(write_tiny_model(tmp_path, config=LAYERS), threads=1)


def started(world: World, size: int) -> Batch:
    batch = Batch(world, size)
    for row in range(size):
        batch.start(row, IMAGES[row % 4], seed=row)
    return batch


def apart(some: Frames, others: Frames) -> int:
    return int(np.abs(some.astype(int) - others.astype(int)).max())


def same_state(one: Session, other: Session) -> bool:
    """To the bit, in all that a snapshot holds."""
    mine, theirs = one.snapshot(), other.snapshot()
    assert mine.tensors.keys() == theirs.tensors.keys()
    return all(torch.equal(tensor, theirs.tensors[name]) for name, tensor in mine.tensors.items())


@pytest.mark.parametrize("stream", [StreamConfig(1, 4), StreamConfig(2, 7, 1)], ids=["ring", "sink"])
@pytest.mark.parametrize(("config", "sampler"), [(MOTION, ONE_STEP), (LAYERS, ONE_STEP), (VELOCITY, FOUR_STEP_COMMIT)])
def test_rows_imagine_what_sessions_imagine_even_when_one_starts_late(
    tmp_path: Path, config, sampler, stream: StreamConfig
) -> None:
    world = World.load(write_tiny_model(tmp_path, config=config, sampler=sampler, stream=stream))
    batch = started(world, 3)
    sessions = [world.start(IMAGES[row], seed=row) for row in range(3)]
    for step in range(8):
        if step == 5:  # after the ring has begun to turn
            assert (batch.start(1, IMAGES[3], seed=9) == IMAGES[3]).all()
            sessions[1] = world.start(IMAGES[3], seed=9)
        controls = np.repeat(ACTIONS[:3, step, None], stream.chunk, 1)
        together = batch.step(controls)
        alone = np.stack([session.step(controls[row]) for row, session in enumerate(sessions)])
        assert apart(together, alone) <= ONE_LEVEL, step
    assert batch.frame_index.tolist() == [8 * stream.chunk, 3 * stream.chunk, 8 * stream.chunk]


def test_an_idle_row_stays_as_it_was_to_the_bit(world: World) -> None:
    batch = started(world, 3)
    for step in range(6):  # the ring is full: every chunk overwrites another
        batch.step(ACTIONS[:3, step : step + 1])
    before = batch.session(1).fork()
    frames = batch.step(ACTIONS[:3, 6:7], rows=[0, 2])
    assert not frames[1].any() and frames[0].any() and frames[2].any()
    assert same_state(batch.session(1), before)
    assert batch.frame_index.tolist() == [7, 6, 7]
    frames = batch.step(ACTIONS[:3, 7:8])
    assert apart(frames[1], before.step(ACTIONS[1, 7:8])) <= ONE_LEVEL


def test_a_bad_action_ends_its_row_alone(world: World) -> None:
    batch, other = started(world, 3), started(world, 3)
    bad = ACTIONS[:3, :1].copy()
    bad[1, 0, 0] = np.nan
    frames = batch.step(bad)
    good = other.step(ACTIONS[:3, :1])
    assert list(batch.ended) == [1]
    assert isinstance(batch.ended[1], InputError) and str(batch.ended[1]).startswith("row 1: action[0].x: got nan")
    assert not frames[1].any()
    assert apart(frames[[0, 2]], good[[0, 2]]) == 0
    with pytest.raises(SessionError, match=r"row 1 has ended \(row 1: action\[0\].x: got nan"):
        batch.session(1)
    assert not batch.step(ACTIONS[:3, 1:2])[1].any(), "the others go on without it"
    assert batch.frame_index[[0, 2]].tolist() == [2, 2]
    batch.start(1, IMAGES[1])
    assert batch.step(ACTIONS[:3, 2:3])[1].any() and not batch.ended


def test_a_step_that_cannot_be_asked_for_changes_nothing(world: World) -> None:
    batch = Batch(world, 2)
    with pytest.raises(SessionError, match="row 0 was never started"):
        batch.step(np.zeros((2, 1, 2)))
    batch.start(0, IMAGES[0])
    batch.start(1, IMAGES[1])
    before = [batch.session(row).fork() for row in range(2)]
    with pytest.raises(InputError, match="controls"):
        batch.step(np.zeros((3, 1, 2)))
    with pytest.raises(InputError, match="row"):
        batch.start(2, IMAGES[0])
    with pytest.raises(InputError, match="row"):
        batch.step(np.zeros((2, 1, 2)), rows=[0, 5])
    assert all(same_state(batch.session(row), before[row]) for row in range(2))


def test_a_forward_that_fails_half_way_leaves_every_row_as_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(world, 3)
    for step in range(6):
        batch.step(ACTIONS[:3, step : step + 1])
    before = [batch.session(row).fork() for row in range(3)]
    run = TorchContext.run

    def fails(context: TorchContext) -> None:
        run(context)
        if "prediction" in {spec.name for spec in context._graph.tensors}:
            raise RuntimeError("device")

    with monkeypatch.context() as patch:
        patch.setattr(TorchContext, "run", fails)
        with pytest.raises(RuntimeError, match="device"):
            batch.step(ACTIONS[:3, 6:7], rows=[0, 2])
    assert all(same_state(batch.session(row), before[row]) for row in range(3))
    assert batch.frame_index.tolist() == [6, 6, 6]


def test_rows_fork_and_take_snapshots_like_sessions(world: World) -> None:
    batch = started(world, 2)
    for step in range(6):
        batch.step(ACTIONS[:2, step : step + 1])
    fork, snapshot = batch.session(1).fork("twin"), batch.session(1).snapshot()
    restored = world.restore(snapshot)
    assert same_state(fork, batch.session(1)) and same_state(restored, batch.session(1))
    assert fork.frame_index == 6 and world.sessions["twin"] is fork
    for step in range(6, 10):
        one, other = fork.step(ACTIONS[1, step : step + 1]), restored.step(ACTIONS[1, step : step + 1])
        assert (one == other).all()
        assert apart(batch.step(ACTIONS[:2, step : step + 1])[1], one) <= ONE_LEVEL


def test_rows_with_one_past_agree_to_the_bit_wherever_they_sit(world: World) -> None:
    """Spread over rows, forked rows cannot be told apart: a planner compares actions alone."""
    source = world.start(IMAGES[0], seed=4)
    for step in range(6):
        source.step(ACTIONS[0, step : step + 1])
    batch = started(world, 4)
    batch.step(ACTIONS[:, :1])
    batch.spread(source, [0, 1, 3])
    assert all(same_state(batch.session(row), source) for row in (0, 1, 3))
    assert batch.frame_index.tolist() == [6, 6, 1, 6]
    for step in range(6, 12):
        frames = batch.step(np.repeat(ACTIONS[:1, step : step + 1], 4, 0))
        assert (frames[0] == frames[1]).all() and (frames[0] == frames[3]).all()
        assert apart(frames[0], source.step(ACTIONS[0, step : step + 1])) <= ONE_LEVEL
    assert same_state(batch.session(0), batch.session(3))


def test_rows_are_selected_and_spread_from_snapshots(world: World) -> None:
    batch = started(world, 4)
    for step in range(6):
        batch.step(ACTIONS[:, step : step + 1])
    before = [batch.session(row).fork() for row in range(4)]
    batch.select([1, 0, 2, 0])
    for row, source in enumerate((1, 0, 2, 0)):
        assert same_state(batch.session(row), before[source]) and batch.session(row).seed == before[source].seed
    batch.spread(before[3].snapshot(), [0, 2])
    assert same_state(batch.session(0), before[3]) and same_state(batch.session(2), before[3])
    batch.spread(batch.session(1), [0, 1, 3])  # its own row is among them
    assert all(same_state(batch.session(row), before[0]) for row in (0, 1, 3))
    with pytest.raises(InputError, match="indices"):
        batch.select([0, 1])
    other = World.load(write_tiny_model(Path(world.card.folder), name="other", config=LAYERS, seed=1))
    with pytest.raises(SnapshotError):
        batch.spread(other.start(IMAGES[0]).snapshot(), [0])
    assert same_state(batch.session(0), before[0])


def test_a_row_observes_what_really_happened(world: World) -> None:
    batch, alone = started(world, 2), world.start(IMAGES[1], seed=1)
    real = RNG.integers(0, 256, (1, 32, 32, 3), np.uint8)
    for step in range(3):
        batch.session(1).observe(real, ACTIONS[1, step : step + 1])
        alone.observe(real, ACTIONS[1, step : step + 1])
    assert same_state(batch.session(1), alone), "a row that is stepped alone is a session, to the bit"
    assert batch.frame_index.tolist() == [0, 3]
    frames = batch.step(ACTIONS[:2, 3:4])
    assert apart(frames[1], alone.step(ACTIONS[1, 3:4])) <= ONE_LEVEL


def test_a_row_that_began_anew_cannot_be_touched_by_its_predecessor(world: World) -> None:
    batch = started(world, 2)
    old = batch.session(0)
    batch.start(0, IMAGES[2])
    with pytest.raises(SessionError, match="closed"):
        old.step(ACTIONS[0, :1])


class InTwos(TorchEngine):
    """An engine whose forwards may have one row or two."""

    batches = (1, 2)
    loaded: list[tuple[str, int]]

    def load(self, graph: GraphSpec) -> TorchProgram:
        self.loaded.append((graph.name, graph.batch))
        return super().load(graph)


def test_rows_go_through_the_programs_of_the_engine_in_sizes_that_it_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = InTwos(EngineOptions(threads=1))
    engine.loaded = []
    monkeypatch.setattr("lingbot_ros.world.loaded_model.new_engine", lambda _: engine)
    batch, whole = started(World(LoadedModel(world.card, world.model.files, world.model.options)), 3), started(world, 3)
    for step in range(6):
        controls = ACTIONS[:3, step : step + 1]
        assert apart(batch.step(controls), whole.step(controls)) <= ONE_LEVEL
    assert [size for name, size in engine.loaded if name == "step"] == [1, 2]
    assert tile_sizes(13, (8, 1)) == [8, 1, 1, 1, 1, 1] and tile_sizes(13, None) == [13]


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="one by one"):
        Batch(World.load(write_tiny_camera_model(tmp_path)), 2)
