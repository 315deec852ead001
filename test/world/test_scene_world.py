"""The shipped world of rooms behind the contract of every world."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.errors import EngineError, InputError, SessionError, SnapshotError
from lingbot_ros.model.scene.camera import turned
from lingbot_ros.world import Session, World
from lingbot_ros.world.snapshot import Snapshot

pytestmark = pytest.mark.model
NAME = "rooms-small"


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(NAME, threads=1)


def pitched(image: np.ndarray, degrees: float) -> np.ndarray:
    """The image of a camera that looks up by so much, from the same place."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    k = np.array([[110.851, 0, 64], [0, 110.851, 64], [0, 0, 1]])
    turn = k @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]) @ np.linalg.inv(k)
    return cv2.warpPerspective(image, turn, (128, 128), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def play(session: Session, keys: str) -> np.ndarray:
    return np.stack([session.step(pose[None])[0] for pose in script_poses(parse_key_script(keys))])


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((one.astype(float) - other) ** 2).mean(), 1e-6)))


def test_straight_forked_and_restored_sessions_show_the_same(world: World, tmp_path: Path) -> None:
    session = world.start(world.seed_image())
    poses = script_poses(parse_key_script("w-4,wl-24"))
    for pose in poses[:14]:
        session.step(pose[None])
    fork = session.fork()
    session.snapshot().save(tmp_path / "one")
    restored = world.restore(Snapshot.load(tmp_path / "one"))
    sizes = {name: tensor.shape for name, tensor in session.snapshot().tensors.items()}
    for pose in poses[14:]:
        frame = session.step(pose[None])
        assert np.array_equal(frame, fork.step(pose[None])) and np.array_equal(frame, restored.step(pose[None]))
        assert session.view == fork.view == restored.view
    assert session.view is not None and session.view.painted > 0.1
    assert session.view.seen + session.view.painted + session.view.unknown == pytest.approx(1)
    assert sizes == {name: tensor.shape for name, tensor in session.snapshot().tensors.items()}
    fork.close(), restored.close(), session.close()


def test_the_first_image_comes_back_to_the_bit(world: World) -> None:
    image = world.seed_image()
    session = world.start(image)
    for _ in range(6):
        assert np.array_equal(session.step(np.eye(4)[None])[0], image)
        assert session.view is not None and session.view.seen == 1
    session.close()


def test_a_place_that_was_left_is_still_there(world: World) -> None:
    image = world.seed_image()
    session = world.start(image)
    away = script_poses(parse_key_script("l-30"))[::2]
    turned = [session.step(pose[None])[0] for pose in away]
    back = [session.step(pose[None])[0] for pose in away[::-1]]
    assert psnr(back[-1], image) > 40
    assert psnr(turned[-1], back[0]) > 40  # painted, left, and seen again
    assert psnr(turned[-1], image) < 30
    session.close()


def test_a_real_image_is_remembered_for_what_is_new_in_it(world: World) -> None:
    image = world.seed_image()
    session = world.start(image)
    counts = []
    for degrees in (0.0, 0.5, 3.0):
        session.observe(image[None], turned(np.eye(4), np.radians(degrees))[None])
        counts.append(session.scene.memory.count)
    assert counts == [1, 1, 2]
    session.close()


def test_left_is_left_and_forward_grows(world: World) -> None:
    image = world.seed_image()
    session = world.start(image)
    right = play(session, "l-5")[-1].mean(-1)
    assert (
        abs(right[:, :100] - image.mean(-1)[:, 18:118]).mean() < abs(right[:, 18:118] - image.mean(-1)[:, :100]).mean()
    )
    session.close()
    session = world.start(image)
    frame = play(session, "w-8")[-1]
    larger = np.kron(image[32:96, 32:96], np.ones((2, 2, 1)))
    assert abs(frame - larger).mean() < abs(frame[32:96, 32:96].repeat(2, 0).repeat(2, 1) - image.astype(float)).mean()
    session.close()


def test_walls_block_and_say_so(world: World) -> None:
    session = world.start(world.seed_image())
    where, blocked = [], []
    for pose in script_poses(parse_key_script("l-35,w-100"))[::3]:
        session.step(pose[None])
        where.append(session.camera_pose[:3, 3])
        blocked.append(session.view.motion_blocked)
    assert any(blocked) and not all(blocked)
    first = blocked.index(True)
    assert np.array_equal(where[first], where[first - 1])
    assert np.linalg.norm(np.diff(where, axis=0), axis=1).max() < 0.2
    session.close()


def test_only_real_frames_are_remembered_as_views(world: World) -> None:
    image = world.seed_image()
    session = world.start(image)
    play(session, "l-20")
    assert session.scene.memory.count == 1 and len(session.scene.house.plan.pieces) > 2
    pose = script_poses(parse_key_script("l-40"))[-1]
    session.observe(image[None, :, ::-1], pose[None])
    assert session.scene.memory.count == 2 and session.frames_since_real == 0
    assert session.view.seen == 1 and not session.view.motion_blocked
    assert psnr(session.step(pose[None])[0], image[:, ::-1]) > 40
    session.close()


def test_what_cannot_be_is_refused_and_changes_nothing(world: World) -> None:
    with pytest.raises(EngineError, match="scene"):
        World.load(NAME, precision="int8")
    with pytest.raises(InputError, match="attends to nothing"):
        World.load(NAME, window=8)
    with pytest.raises(InputError, match="image: .* degrees up.*level camera"):
        world.start(pitched(world.seed_image(), 8))
    session = world.start(world.seed_image())
    play(session, "w-3")
    before = session.snapshot()
    with pytest.raises(InputError, match="poses"):
        session.step(np.full((1, 4, 4), np.nan))
    assert all(tensor.equal(before.tensors[name]) for name, tensor in session.snapshot().tensors.items())
    for far in (1e20, 1e300):
        with pytest.raises(InputError, match="poses.*position"):
            session.step(np.array([[[1.0, 0, 0, far], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]]))
    with pytest.raises(InputError, match="unit_step"):
        world.start(world.seed_image(), unit_step="far")  # type: ignore[arg-type]
    for damage in (
        {"scene.memory_colour": before.tensors["scene.memory_colour"][:2]},
        {"scene.plan_walls": before.tensors["scene.plan_walls"] + 7},
        {"scene.plan_free": before.tensors["scene.plan_free"][:2]},
        {"scene.doors": before.tensors["scene.doors"] + 1},
        {"scene.poses": before.tensors["scene.poses"] * 1e30},
        {"scene.numbers": None},
    ):
        tensors = {name: t for name, t in (before.tensors | damage).items() if t is not None}
        with pytest.raises(SnapshotError):
            session.restore(dataclasses.replace(before, tensors=tensors))
    assert all(tensor.equal(before.tensors[name]) for name, tensor in session.snapshot().tensors.items())
    session.close()
    with pytest.raises(SessionError):
        session.step(np.eye(4)[None])
