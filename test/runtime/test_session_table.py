"""What a saved session carries beside the core's state, and what counts as memory."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError, ResourceError
from lingbot_ros.runtime.intrinsics import CameraDefaults
from lingbot_ros.runtime.records import StartRequest
from lingbot_ros.runtime.session_table import Limits, SessionTable
from lingbot_ros.world import World
from test.support.tiny_model import write_tiny_model

IMAGE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
INTRINSICS = np.array([[80.0, 0, 31.5], [0, 80, 31.5], [0, 0, 1]])
ACTION = [[10.0, 20.0]]
FPS = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World.load(write_tiny_model(tmp_path_factory.mktemp("models"), fps=float(FPS)), threads=1)


def table_of(world: World, folder: Path, limits: Limits | None = None) -> SessionTable:
    world.close()
    return SessionTable(world, limits or Limits(), folder, CameraDefaults())


def start(table: SessionTable, session_id: str = "trunk", stamp_ns: int = 5_000) -> None:
    table.start(StartRequest(stamp_ns, IMAGE, INTRINSICS, session_id=session_id))


def test_lineage_stamps_lens_and_what_is_real_survive_the_file(world: World, tmp_path: Path) -> None:
    table = table_of(world, tmp_path)
    start(table)
    for _ in range(3):
        table.get("trunk").session.step(ACTION)
    branch = table.fork("trunk", "branch", activate=True)
    branch.session.observe(np.zeros((1, 32, 32, 3), np.uint8), ACTION)
    branch.session.step(ACTION)
    saved = table.save("branch", "b.safetensors", overwrite=False).session
    other = table_of(world, tmp_path)
    restored = other.restore("b.safetensors", "again", 10**18, activate=True, lease_s=3.0)
    view = other.view(restored)
    assert (view.session_id, view.parent_id, view.branch_frame, view.lease_s) == ("again", "trunk", 3, 3.0)
    assert (view.frame_index, view.start_stamp_ns, view.stamp_ns) == (5, 5_000, saved.stamp_ns)
    assert (restored.session.frames_since_real, table.get("trunk").session.frames_since_real) == (1, 3)
    np.testing.assert_array_equal(view.intrinsics, [[40.0, 0, 15.5], [0, 40, 15.5], [0, 0, 1]])


def test_a_live_session_is_set_back_with_its_place_in_time(world: World, tmp_path: Path) -> None:
    table = table_of(world, tmp_path)
    start(table, "first", stamp_ns=1_000)
    start(table, "second", stamp_ns=9_000)
    table.save("first", "a.safetensors", overwrite=False)
    served = table.restore("a.safetensors", "second", 0, activate=False)
    assert served is table.get("second")
    assert (served.id, served.start_stamp_ns, table.active_id) == ("second", 1_000, "second")


def test_a_snapshot_taken_in_python_goes_on_from_now(world: World, tmp_path: Path) -> None:
    table = table_of(world, tmp_path)
    session = world.start(IMAGE)
    for _ in range(FPS):
        session.step(ACTION)
    session.snapshot().save(tmp_path / "python.safetensors")
    served = table.restore("python.safetensors", "", 7 * 10**9, activate=True)
    assert (table.view(served).stamp_ns, served.parent_id, served.intrinsics) == (7 * 10**9, "", None)


def test_copies_of_rollouts_count_as_memory(world: World, tmp_path: Path) -> None:
    table = table_of(world, tmp_path, Limits(memory_bytes=int(2.5 * world.info.session_bytes)))
    start(table)
    copy = table.fork_apart(table.get("trunk"))
    with pytest.raises(ResourceError, match=r"memory: 3 sessions need \d+ bytes; limits.memory allows"):
        start(table, "third")
    copy.session.close()
    start(table, "third")


def test_a_start_pose_needs_a_camera_that_moves(world: World, tmp_path: Path) -> None:
    table = table_of(world, tmp_path)
    with pytest.raises(InputError, match="start_pose: got .* driven by actions"):
        table.start(StartRequest(0, IMAGE, start_pose=np.eye(4)))
    assert not world.sessions


def test_what_killed_saves_left_is_removed(world: World, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, own = tmp_path / f"a.safetensors.{ended.pid}.partial", tmp_path / f"b.safetensors.{os.getpid()}.partial"
    other = tmp_path / "mine.partial"
    for path in (left, own, other):
        path.write_bytes(b"half")
    table_of(world, tmp_path)
    assert not left.exists()
    assert own.exists() and other.exists()
