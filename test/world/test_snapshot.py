"""Snapshots as files: another process continues bit-identically; damage and mismatch are refused by name."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.errors import ErrorCode, ResourceError, SnapshotError
from lingbot_ros.world import Snapshot, World
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

CONTINUE = """
import sys, numpy as np
from lingbot_ros.world import Snapshot, World
model, snapshot, actions, out = sys.argv[1:]
session = World.load(model).restore(Snapshot.load(snapshot))
np.save(out, np.concatenate([session.step(action) for action in np.load(actions)]))
"""
KILLED_SAVES = """
import os, signal, sys, time
from dataclasses import replace
from pathlib import Path
import torch
from lingbot_ros.world import Snapshot
path = Path(sys.argv[1])
given = Snapshot.load(path)
big = Snapshot(given.meta, {**given.tensors, "big": torch.rand(4_000_000)})
for turn in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        for number in range(10_000):
            Snapshot(replace(big.meta, frame_index=number), big.tensors).save(path)
    half = path.with_name(f"{path.name}.{child}.partial")
    while True:
        os.kill(child, signal.SIGSTOP)
        _, status = os.waitpid(child, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status
        if half.exists():
            break
        os.kill(child, signal.SIGCONT)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    Snapshot.load(path)
"""
READ_ONLY = """
import os, sys, tempfile
from pathlib import Path
from lingbot_ros.errors import ResourceError
from lingbot_ros.world import Snapshot
snapshot = Snapshot.load(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    snapshot.save(Path(folder) / "a.snapshot")
    os.chmod(folder, 0o555)
    child = os.fork()
    if not child:
        if os.getuid() == 0:  # whom no permission stops
            os.setuid(65534)
        for name in ("a.snapshot", "new.snapshot", "new/deep.snapshot"):
            try:
                snapshot.save(Path(folder) / name)
            except ResourceError as error:
                print(int(error.code), error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.listdir(folder) == ["a.snapshot"]
    Snapshot.load(Path(folder) / "a.snapshot")
    os.chmod(folder, 0o755)
"""


@pytest.fixture
def saved(world: World, image: NDArray[np.uint8], actions: NDArray[np.float64], tmp_path: Path) -> Path:
    session = world.start(image, seed=3)
    for action in actions[:7]:
        session.step(action)
    session.snapshot().save(tmp_path / "deep" / "a.snapshot")
    session.close()
    return tmp_path / "deep" / "a.snapshot"


def test_another_process_continues_bit_identically(
    world: World, saved: Path, actions: NDArray[np.float64], tmp_path: Path
) -> None:
    session = world.restore(Snapshot.load(saved))
    expected = np.concatenate([session.step(action) for action in actions[7:15]])
    session.close()
    np.save(tmp_path / "actions.npy", actions[7:15])
    arguments = [world.card.folder, saved, tmp_path / "actions.npy", tmp_path / "frames.npy"]
    subprocess.run([sys.executable, "-c", CONTINUE, *map(str, arguments)], check=True, timeout=120)
    assert np.array_equal(np.load(tmp_path / "frames.npy"), expected)


def test_what_the_holder_knows_travels_with_it(world: World, image: NDArray[np.uint8], tmp_path: Path) -> None:
    session = world.start(image)
    session.snapshot({"parent_id": "trunk", "start_stamp_ns": 2**62}).save(tmp_path / "a.snapshot")
    session.close()
    assert Snapshot.load(tmp_path / "a.snapshot").meta.outside == {"parent_id": "trunk", "start_stamp_ns": 2**62}
    data = (tmp_path / "a.snapshot").read_bytes()
    (tmp_path / "a.snapshot").write_bytes(data.replace(b"trunk", b"drunk"))
    with pytest.raises(SnapshotError, match="checksum"):
        Snapshot.load(tmp_path / "a.snapshot")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "missing"])
def test_damage_is_refused(saved: Path, damage: str) -> None:
    data = bytearray(saved.read_bytes())
    if damage == "truncated":
        saved.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[-5] ^= 1
        saved.write_bytes(data)
    elif damage == "empty":
        saved.write_bytes(b"")
    else:
        saved.unlink()
    with pytest.raises(SnapshotError, match="a.snapshot"):
        Snapshot.load(saved)


def test_another_model_is_refused_and_the_world_survives(world: World, saved: Path, tmp_path: Path) -> None:
    other = World.load(write_tiny_model(tmp_path, name="other", seed=5))
    with pytest.raises(SnapshotError, match="model"):
        other.restore(Snapshot.load(saved))
    assert not other.sessions


def test_a_disk_that_refuses_leaves_the_older_snapshot(saved: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.load(saved)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ResourceError, match="disk space") as error:
        snapshot.save(tmp_path / "file" / "a.snapshot")
    assert error.value.code is ErrorCode.DISK
    assert Snapshot.load(saved).meta == snapshot.meta
    assert not list(saved.parent.glob("*.partial"))


def test_a_process_killed_in_the_middle_of_a_save_leaves_no_half_file(saved: Path) -> None:
    """Ten times, each time while the new file is being written: the old one is whole."""
    subprocess.run([sys.executable, "-c", KILLED_SAVES, str(saved), "10"], check=True, timeout=120)
    left = [path for path in saved.parent.iterdir() if path != saved]
    assert len(left) == 10 and all(path.suffix == ".partial" for path in left)
    Snapshot.load(saved)


def test_a_folder_that_may_not_be_written_is_named_and_keeps_what_it_holds(saved: Path) -> None:
    command = [sys.executable, "-c", READ_ONLY, str(saved)]
    said = subprocess.run(command, check=True, timeout=120, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    assert len(said) == 3
    for line in said:
        assert line.startswith(f"{int(ErrorCode.DISK)} snapshot: cannot write ") and "Permission denied" in line


def test_a_snapshot_with_other_parts_is_refused_and_changes_nothing(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    """A world that recomputes its window under a new prompt needs the window's chunks, which the other never kept."""
    model = write_tiny_camera_model(tmp_path)
    keep, recompute = (World.load(model, prompt_policy=policy) for policy in ("keep", "recompute"))
    snapshots = {}
    for name, world in (("keep", keep), ("recompute", recompute)):
        session = world.start(image)
        session.step(np.tile(np.eye(4), (5, 1, 1)))
        snapshots[name] = session.snapshot()
    for world, of_other, lack in ((recompute, "keep", "lacks"), (keep, "recompute", "has")):
        with pytest.raises(SnapshotError, match=f"{lack}.*recent.*prompt_policy"):
            world.restore(snapshots[of_other])
    held = keep.start(image)
    with pytest.raises(SnapshotError, match="recent"):
        held.restore(snapshots["recompute"])
    assert held.chunk_index == 0 and held.step(np.tile(np.eye(4), (5, 1, 1))).shape[0] == 5


def test_a_snapshot_of_another_window_is_refused(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    model = write_tiny_model(tmp_path)
    snapshot = World.load(model).start(image).snapshot()
    with pytest.raises(SnapshotError, match="its window is"):
        World.load(model, window=3).restore(snapshot)


def test_only_f32_snapshots_move_between_engines(tmp_path: Path, image: NDArray[np.uint8]) -> None:
    model = write_tiny_model(tmp_path)
    for precision in ("f32", "bf16"):
        world = World.load(model, precision=precision)
        session = world.start(image)
        session.step([[100.0, 100.0]])
        snapshot = session.snapshot()
        assert snapshot.meta.engine == "torch"
        elsewhere = Snapshot(replace(snapshot.meta, engine="onnx"), snapshot.tensors)
        if precision == "f32":
            assert np.array_equal(world.restore(elsewhere).step([[5.0, 9.0]]), session.step([[5.0, 9.0]]))
        else:
            with pytest.raises(SnapshotError, match="its engine is 'onnx', this world's is 'torch'"):
                world.restore(elsewhere)


def test_the_distance_to_the_last_real_frame_is_part_of_a_session(
    world: World, image: NDArray[np.uint8], actions: NDArray[np.float64]
) -> None:
    session = world.start(image)
    assert session.frames_since_real == 0
    for action in actions[:3]:
        session.step(action)
    before = session.snapshot()
    assert session.frames_since_real == 3
    session.observe(image[None], actions[3])
    assert session.frames_since_real == 0
    session.step(actions[4])
    fork, again = session.fork(), world.restore(session.snapshot())
    assert [one.frames_since_real for one in (session, fork, again)] == [1, 1, 1]
    session.restore(before)
    assert session.frames_since_real == 3
    for one in (session, fork, again):
        one.close()
