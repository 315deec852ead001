"""Doors in walls that nobody saw: where they open, when they appear, and that one can walk through."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.scene.camera import Pinhole
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.doors import Bearings, Door, has_way_out, new_door, opened, surroundings
from lingbot_ros.model.scene.keyframes import Keyframes
from lingbot_ros.model.scene.layout import MARGIN, Layout
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.passage import is_blocked
from lingbot_ros.model.scene.render import View
from lingbot_ros.model.scene.surfaces import WALL, Upright
from lingbot_ros.model.scene.tiles import Tiles
from lingbot_ros.world import Session, World
from lingbot_ros.world.scene_session import SceneSession
from test.support.box_room import CEILING, FLOOR, HALF_X, HALF_Z, LENS, look, pose_at

UPRIGHT = Upright(FLOOR, CEILING, 0.0)
COLUMNS = LENS.width + 2 * MARGIN
AHEAD = WALL + 3
"""The wall on the far side along z."""
DOOR = Door(2, 2.0, 1, -0.5, 1.5, 2.2, 4.0, -2.5, 3.5)


def wall_ahead(known: bool = False, distance_m: float = 2.0) -> Layout:
    disparity = np.full(COLUMNS, 1 / distance_m, np.float32)
    return Layout(disparity, np.full(COLUMNS, AHEAD, np.uint8), np.full(COLUMNS, known))


def column_towards(x: float, z: float) -> int:
    return int(np.floor(x / z * LENS.fx + LENS.cx)) + MARGIN


def walls_of_room(but_for: float = 0.0) -> np.ndarray:
    """Points on the walls of the box every degree, `but_for` metres of opening beside x = 0 on the far wall."""
    turn = np.radians(np.arange(0, 360, 1.0))
    ray = np.stack((np.cos(turn), np.sin(turn)), -1)
    with np.errstate(divide="ignore"):
        reach = np.min(np.array([HALF_X, HALF_Z]) / np.abs(ray), 1)
    place = ray * reach[:, None]
    through = (np.abs(place[:, 0]) < but_for / 2) & (place[:, 1] > HALF_Z - 0.01)
    place[through] *= 3
    points = np.stack((place[:, 0], np.zeros(len(place)), place[:, 1]), -1)
    return points.repeat(2, 0).astype(np.float32)


@pytest.mark.parametrize(
    ("x", "z", "depth_m", "surface"),
    [
        (0.2, 4.0, 8.0, AHEAD),  # the far wall of the room behind, 2 + 2 + 4 m away
        (1.5, 3.0, 3.0, WALL + 2),  # the passage's right side, half way through
        (-1.0, 2.0, 2.0, AHEAD),  # beside the door
    ],
)
def test_a_door_shows_passage_and_room_behind(x: float, z: float, depth_m: float, surface: int) -> None:
    layout, lintels = opened(wall_ahead(), Bearings(LENS, np.eye(4), UPRIGHT), (DOOR,))
    column = column_towards(x, z)
    assert 1 / layout.disparity[column] == pytest.approx(depth_m, rel=0.03)
    assert layout.surface[column] == surface
    is_open = depth_m > 2
    assert (lintels.height_m[column] == pytest.approx(2.2)) == is_open
    assert not is_open or 1 / lintels.front[column] == pytest.approx(2.0, rel=0.03)


def test_what_is_known_and_what_stands_before_a_wall_stays() -> None:
    bearings = Bearings(LENS, np.eye(4), UPRIGHT)
    for layout in (wall_ahead(known=True), wall_ahead(distance_m=1.5)):
        assert np.array_equal(opened(layout, bearings, (DOOR,))[0].disparity, layout.disparity)
    behind = Bearings(LENS, pose_at(0, 0, np.pi), UPRIGHT)
    assert np.array_equal(opened(wall_ahead(), behind, (DOOR,))[0].disparity, wall_ahead().disparity)


def test_a_way_out_is_told_from_walls_all_around() -> None:
    assert not has_way_out(surroundings(walls_of_room(), np.zeros(3)))
    assert has_way_out(surroundings(walls_of_room(but_for=1.5), np.zeros(3)))
    assert not has_way_out(surroundings(np.zeros((0, 3), np.float32), np.zeros(3)))


def test_only_a_room_without_a_way_out_gets_a_door_in_a_wall_that_nobody_saw() -> None:
    bearings = Bearings(LENS, np.eye(4), UPRIGHT)
    unseen = walls_of_room()[walls_of_room()[:, 2] < HALF_Z - 0.01]

    def draw(walls: np.ndarray, layout: Layout, doors: tuple[Door, ...] = ()) -> list[Door | None]:
        return [new_door(layout, bearings, walls, doors, np.random.default_rng(seed)) for seed in range(12)]

    found = draw(unseen, wall_ahead())
    assert found == draw(unseen, wall_ahead()) and len(set(found)) > 2
    painted = [door for door in found if door is not None]
    assert len(painted) > len(found) / 2
    for door in painted:
        assert (door.across, door.outwards) == (2, 1) and door.wall == pytest.approx(2.0, abs=0.01)
        assert -HALF_X < door.low < door.high < HALF_X and door.room_low < door.low < door.high
    assert not any(draw(unseen, wall_ahead(known=True)))
    assert not any(draw(walls_of_room(), wall_ahead()))
    assert not any(draw(walls_of_room(but_for=1.5), wall_ahead()))
    assert not any(draw(unseen, wall_ahead(), (DOOR,)))
    assert not any(draw(unseen[np.abs(unseen[:, 0]) < 1], wall_ahead()))  # little of the room was looked at
    next_door = unseen.copy()
    next_door[:, 2] = np.where(next_door[:, 2] < -1.9, 3.0, next_door[:, 2])  # walls where the passage would be
    assert not any(draw(next_door[np.abs(next_door[:, 0]) < 2.5], wall_ahead()))


def test_a_painted_door_can_be_walked_through() -> None:
    painter, memory = Painter(DepthNetwork((8, 8, 16)), LENS), Keyframes(LENS, 2)
    shape, pose = (64, 64), np.eye(4)
    nothing = View(
        np.zeros((*shape, 3), np.uint8),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.uint8),
        np.full(shape, 255, np.uint8),
        np.ones(shape, np.float32),
    )
    guess = np.full(shape, 0.5, np.float32)
    view = painter.painted(nothing, guess, pose, Tiles(), UPRIGHT, lambda layout, bearings: (DOOR,))
    middle = column_towards(0.5, 2.0) - MARGIN
    height = -(np.arange(64) + 0.5 - LENS.cy) / LENS.fy  # of the ray per metre, above the eye
    depth = 1 / view.disparity[:, middle]
    lintel = (FLOOR + height * 2 > 2.25) & (height * 2 < -CEILING - 0.05)
    assert lintel.any() and np.allclose(depth[lintel], 2.0, rtol=0.02)
    assert np.allclose(depth[np.abs(height) < 0.05], 8.0, rtol=0.03)
    low = (FLOOR + height * 2 < 2.15) & (FLOOR + height * 4 > 2.25)
    assert low.any() and np.allclose(depth[low] * height[low], 0.7, rtol=0.02)
    memory.record(view)
    for x, blocked in ((0.5, False), (-1.2, True)):
        start, goal = np.array([x, 0, 1.0]), np.array([x, 0, 2.5])
        assert is_blocked(memory, start, goal, 0.25, FLOOR) == blocked


@pytest.mark.model
def test_forks_and_snapshots_paint_the_same_doors_and_another_seed_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, at_once in (("_CHANCE", 1.0), ("_LOOKED", 0.0)):
        monkeypatch.setattr(f"lingbot_ros.model.scene.doors.{name}", at_once)
    world = World.load("rooms-small", threads=1)
    image, _ = look(pose_at(-1.0, 0.0, np.pi / 2 + 0.3), Pinhole(110.851, 110.851, 64.0, 64.0, 128, 128))
    poses = [pose_at(0, 0, 0.1 * step)[None] for step in range(16)]

    def drive(session: Session, steps: list[np.ndarray]) -> SceneSession:
        assert isinstance(session, SceneSession)
        for pose in steps:
            session.step(pose)
        return session

    session = drive(world.start(image, seed=1), poses[:2])
    others = session.fork(), world.restore(session.snapshot())
    mine = drive(session, poses[2:]).scene
    for other in others:
        theirs = drive(other, poses[2:]).scene.state()
        assert all(torch.equal(tensor, theirs[name]) for name, tensor in mine.state().items())
    assert mine.doors and mine.doors != drive(world.start(image, seed=2), poses).scene.doors
