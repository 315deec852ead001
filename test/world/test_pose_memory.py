"""What a camera model is shown when the camera comes back: chosen by pose, bounded, part of every copy of a session."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lingbot_ros.errors import InputError, SnapshotError
from lingbot_ros.model.config import StreamConfig
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.world import LoadOptions, Session, Snapshot, World
from lingbot_ros.world.memory_plan import plan_memory
from lingbot_ros.world.pose_memory import MemoryOptions, PoseMemory, Remembered, compress, manage, pose_distance, select
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

Frames = NDArray[np.uint8]
Poses = NDArray[np.float64]
UNIT_STEP = 0.2
FRAMES_PER_CHUNK = 8
TOKENS = 6
OPTIONS = MemoryOptions(frames=2, bank=6, reach=2.0)


def at(z: float, turn_degrees: float = 0.0) -> Poses:
    """A pose [4, 4] at depth z, turned about the vertical axis."""
    angle = np.radians(turn_degrees)
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose[2, 3] = z
    return pose


def bank_at(*depths: float) -> list[Remembered]:
    return [Remembered(frame, at(z), ()) for frame, z in enumerate(depths)]


def test_a_step_and_eight_degrees_are_as_far() -> None:
    distance = pose_distance(at(0)[None], np.stack([at(0), at(0.2), at(0, 8), at(0.6, 32), at(0, -180)]), UNIT_STEP)
    assert distance[0] == pytest.approx([0, 1, 1, 5, 22.5], abs=1e-6)


def test_the_nearest_are_selected_within_reach_and_out_of_sight() -> None:
    bank = bank_at(0.0, 0.2, 0.5, 5.0)
    poses = np.stack([at(0.1), at(0.45)])
    chosen = select(bank, poses, visible={9}, options=MemoryOptions(3, 8, 3.0), unit_step=UNIT_STEP)
    assert [item.frame for item in chosen] == [2, 0, 1]
    chosen = select(bank, poses, visible={2, 9}, options=MemoryOptions(1, 8, 3.0), unit_step=UNIT_STEP)
    assert [item.frame for item in chosen] == [0]
    assert not select(bank, np.stack([at(50.0)]), set(), MemoryOptions(3, 8, 3.0), UNIT_STEP)
    assert not select([], poses, set(), MemoryOptions(3, 8, 3.0), UNIT_STEP)


def test_the_newest_view_of_a_chunk_is_kept() -> None:
    assert compress(np.stack([at(0.0), at(1.0)]), [], UNIT_STEP) == 0
    assert compress(np.stack([at(0.1), at(1.0), at(0.4)]), bank_at(0.0), UNIT_STEP) == 1


def test_of_two_like_views_the_later_is_forgotten() -> None:
    kept = manage(bank_at(0.0, 3.0, 0.01, 5.0, 3.02), 3, UNIT_STEP)
    assert [item.frame for item in kept] == [0, 1, 3]
    assert manage(kept, 3, UNIT_STEP) == kept


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def world(model: Path) -> World:
    return World.load(model, memory=OPTIONS)


@pytest.fixture
def image() -> Frames:
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


@pytest.fixture
def session(world: World, image: Frames) -> Iterator[Session]:
    session = world.start(image, prompt="a red house", seed=7)
    yield session
    session.close()


def depth(frame: int, out: int = 45) -> float:
    """A walk forward for `out` frames at full speed, and back on the same way."""
    return 0.05 * min(frame, max(2 * out - frame, 0))


def walk(session: Session, chunks: int) -> Frames:
    frames = []
    for _ in range(chunks):
        count = session.frames_in_next_chunk
        path = np.stack([at(depth(session.frame_index + index)) for index in range(count)])
        frames.append(session.step(path))
    return np.concatenate(frames)


def latent_depth(latent: int) -> float:
    return depth(4 * latent)


def test_coming_back_shows_what_was_seen_there(session: Session) -> None:
    memory = session._memory
    assert memory is not None
    recalled = {}
    for chunk in range(12):
        walk(session, 1)
        recalled[chunk] = list(memory.shown)
        assert len(memory.bank) == min(chunk + 1, OPTIONS.bank)
    (branch,) = session._branches
    assert not any(recalled[chunk] for chunk in range(5)), "on the way out nothing was seen before"
    assert recalled[10], "on the way back it was"
    for chunk, frames in recalled.items():
        here = [latent_depth(2 * chunk + index) for index in range(2)]
        for frame in frames:
            assert frame not in branch.cache.ring.visible(chunk)
            nearest = min(abs(latent_depth(frame) - z) for z in here)
            assert nearest <= OPTIONS.reach * UNIT_STEP + 1e-9, f"frame {frame} in chunk {chunk}"


def test_the_shown_frames_are_those_that_were_committed(session: Session) -> None:
    """Bit for bit, in every layer, at the time at which they were made; attention sees the window and them."""
    memory = session._memory
    assert memory is not None
    (branch,) = session._branches
    made = {}
    for chunk in range(12):
        walk(session, 1)
        slot = branch.cache.ring.slot(chunk)
        for index in range(2):
            first = (slot.write + index) * TOKENS
            made[2 * chunk + index] = [t[0, :, first : first + TOKENS].clone() for t in branch.cache.block]
        if memory.shown:
            assert int(branch.tensors["kv_len"]) == (6 + len(memory.shown)) * TOKENS
            for place, frame in enumerate(memory.shown, start=6):
                for tensor, expected in zip(branch.cache.block, made[frame], strict=True):
                    assert torch.equal(tensor[0, :, place * TOKENS : (place + 1) * TOKENS], expected)
        else:
            assert int(branch.tensors["kv_len"]) == slot.length * TOKENS


def test_memory_reaches_the_frames_and_only_on_the_way_back(model: Path, world: World, image: Frames) -> None:
    """Out of reach is bit-identical to off, and so is the way out; the way back is not."""
    sessions = {
        "off": World.load(model).start(image, prompt="snow", seed=7),
        "on": world.start(image, prompt="snow", seed=7),
        "out of reach": World.load(model, memory=MemoryOptions(2, 6, 1e-9)).start(image, prompt="snow", seed=7),
    }
    frames = {name: walk(one, 12) for name, one in sessions.items()}
    assert np.array_equal(frames["out of reach"], frames["off"])
    assert np.array_equal(frames["on"][:37], frames["off"][:37])
    assert not np.array_equal(frames["on"], frames["off"])
    sessions["on"].close()


@pytest.mark.parametrize("past", [3, 9])
def test_forks_and_snapshots_remember(session: Session, world: World, model: Path, tmp_path: Path, past: int) -> None:
    walk(session, past)
    session.snapshot().save(tmp_path / "snapshot")
    fork = session.fork()
    expected = walk(session, 13 - past)
    assert np.array_equal(walk(fork, 13 - past), expected)
    restored = World.load(model, memory=OPTIONS).restore(Snapshot.load(tmp_path / "snapshot"))
    assert np.array_equal(walk(restored, 13 - past), expected)
    fork.close()
    for other in (None, MemoryOptions(2, 7, 2.0)):
        with pytest.raises(SnapshotError, match="memory"):
            World.load(model, memory=other).restore(Snapshot.load(tmp_path / "snapshot"))


def test_a_failed_step_remembers_nothing(session: Session, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    walk(session, 8)
    twin = session.fork()
    memory = session._memory
    assert memory is not None
    before = list(memory.bank)
    with monkeypatch.context() as patch:

        def out_of_memory(*_: object) -> None:
            raise MemoryError("decoder")

        patch.setattr(type(world.model.autoencoder), "decode", out_of_memory)
        with pytest.raises(MemoryError):
            walk(session, 1)
    assert memory.bank == before
    assert np.array_equal(walk(session, 4), walk(twin, 4))
    twin.close()


def test_what_is_shown_already_is_not_copied_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 14B a frame is 1.2 GB; a camera that waits looks at the same ones."""
    walk(session, 11)
    memory = session._memory
    assert memory is not None
    copied: list[int] = []
    show = PoseMemory._show

    def counted(self: PoseMemory, place: int, item: Remembered) -> None:
        copied.append(item.frame)
        show(self, place, item)

    monkeypatch.setattr(PoseMemory, "_show", counted)
    still = np.tile(at(depth(85)), (8, 1, 1))
    for _ in range(4):
        session.step(still)
    before, shown = len(copied), list(memory.shown)
    session.step(still)
    assert shown and memory.shown == shown and len(copied) == before


def test_guided_models_remember_both_branches(tmp_path: Path, image: Frames) -> None:
    sampler = UniPCConfig(2, 5.0, guidance=3.0, negative_prompt="rain")
    world = World.load(write_tiny_camera_model(tmp_path, sampler=sampler), memory=OPTIONS)
    session = world.start(image, prompt="snow", seed=7)
    walk(session, 10)
    fork = session.fork()
    assert session._memory is not None and session._memory.shown
    assert all(len(item.kept) == 2 and not torch.equal(*item.kept) for item in session._memory.bank)
    assert np.array_equal(walk(fork, 2), walk(session, 2))


def test_the_plan_counts_slots_and_bank(model: Path, world: World) -> None:
    options = LoadOptions(model, device="cpu", precision="f32")
    off = plan_memory(World.load(model).card, options)
    on = plan_memory(world.card, replace(options, memory=OPTIONS))
    one_frame = 2 * 48 * TOKENS * 4 * 2
    added = {item.name: item.bytes for item in on.items}
    for item in off.items:
        added[item.name] -= item.bytes
    assert {name: size for name, size in added.items() if size} == {
        "session: attention caches": 2 * one_frame,
        "session: remembered places": 6 * one_frame,
    }


def test_a_full_bank_is_in_the_size_of_a_session(model: Path, world: World) -> None:
    more = world.info.session_bytes - World.load(model).info.session_bytes
    one_frame = 2 * 48 * TOKENS * 4 * 2
    assert more == 2 * one_frame + 6 * one_frame


def test_where_memory_means_nothing_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="memory.*not driven by a camera"):
        World.load(write_tiny_model(tmp_path), memory=OPTIONS)
    clip = write_tiny_camera_model(tmp_path, "clip", UniPCConfig(2, 10.0, commit=False), StreamConfig(5, 5))
    with pytest.raises(InputError, match="memory.*one clip"):
        World.load(clip, memory=OPTIONS)
    for bad in ((0, 4, 1.0), (4, 3, 1.0), (1, 4, 0.0), (1, 4, float("nan"))):
        with pytest.raises(InputError, match="memory"):
            MemoryOptions(*bad)
