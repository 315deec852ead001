"""Doors in walls that nobody saw, and the rooms behind them: when they appear, and that one can walk on and on."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lingbot_ros.model.scene.bearings import Bearings
from lingbot_ros.model.scene.camera import Pinhole
from lingbot_ros.model.scene.doors import PASSAGE_M, Door, has_way_out, is_possible, lintel_of, new_door, surroundings
from lingbot_ros.model.scene.floor_plan import Box, FloorPlan
from lingbot_ros.model.scene.layout import Layout
from lingbot_ros.model.scene.new_rooms import build_room
from lingbot_ros.model.scene.room_planes import LevelView
from lingbot_ros.model.scene.surfaces import CEILING as CEILING_SURFACE
from lingbot_ros.model.scene.surfaces import WALL, Upright
from lingbot_ros.model.scene.walls import wall
from lingbot_ros.world import Session, World
from lingbot_ros.world.scene_session import SceneSession
from test.support.box_room import CEILING, FLOOR, HALF_X, HALF_Z, LENS, look, pose_at

UPRIGHT = Upright(FLOOR, CEILING, 0.0)
AHEAD = WALL + 3
"""The wall on the far side along z."""
DOOR = Door(2, 2.0, 1, -0.5, 1.5, 2.2)
ROOM: Box = (-HALF_X, HALF_X, -HALF_Z, HALF_Z)
EYE = np.zeros(3)


def room(opening: tuple[float, float] | None = None, unseen: bool = False) -> FloorPlan:
    """The box as a plan, with an opening in its far wall to a second one that ends 6 m away; or without that wall."""
    sides = [wall(WALL, -HALF_X, -HALF_Z, HALF_Z), wall(WALL + 2, HALF_X, -HALF_Z, HALF_Z)]
    sides.append(wall(WALL + 1, -HALF_Z, -HALF_X, HALF_X))
    plan = FloorPlan.empty().with_free(ROOM)
    if opening is not None:
        plan = plan.with_free((-HALF_X, HALF_X, HALF_Z, 6.0))
        sides += [wall(AHEAD, HALF_Z, -HALF_X, opening[0]), wall(AHEAD, HALF_Z, opening[1], HALF_X)]
        sides.append(wall(AHEAD, 6.0, -HALF_X, HALF_X))
    elif not unseen:
        sides.append(wall(AHEAD, HALF_Z, -HALF_X, HALF_X))
    return plan.with_walls(sides, EYE)


def test_a_way_out_is_told_from_walls_all_around() -> None:
    assert not has_way_out(surroundings(room(), EYE))
    assert has_way_out(surroundings(room(opening=(-0.8, 0.8)), EYE))
    assert not has_way_out(surroundings(FloorPlan.empty(), EYE))


def test_only_a_room_without_a_way_out_gets_a_door_in_a_wall_that_nobody_saw() -> None:
    def draw(plan: FloorPlan, doors: tuple[Door, ...] = ()) -> list[Door | None]:
        return [new_door(plan, EYE, ROOM, (AHEAD,), doors, np.random.default_rng(seed)) for seed in range(12)]

    found = draw(room(unseen=True))
    assert found == draw(room(unseen=True)) and len(set(found)) > 2 and None not in found
    for door in found:
        assert door is not None and not door.built
        assert (door.across, door.outwards, door.wall) == (2, 1, HALF_Z)
        assert -HALF_X + 0.2 < door.low < door.high < HALF_X - 0.2
    assert not any(draw(room()))
    assert not any(draw(room(opening=(-0.8, 0.8))))
    assert not any(draw(room(unseen=True), (DOOR,)))
    little = FloorPlan.empty().with_free(ROOM).with_walls([wall(WALL, -HALF_X, -HALF_Z, HALF_Z)], EYE)
    assert 0 < sum(door is not None for door in draw(little)) < 12  # another way out may still come into view
    behind = room(unseen=True).with_walls([wall(AHEAD, HALF_Z + 1, -HALF_X, HALF_X)], EYE)
    assert not any(draw(behind))  # no place for a passage


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_rooms_behind_doors_are_closed_and_never_overlap(seed: int) -> None:
    """However far one goes on: each room has walls all around but for its doors, and takes only what was unknown."""
    rng, plan, doors, taken = np.random.default_rng(seed), room(unseen=True), [DOOR], ROOM
    plan = plan.with_walls([wall(AHEAD, 2.0, -HALF_X, -0.5), wall(AHEAD, 2.0, 1.5, HALF_X)], EYE)
    for _ in range(12):
        if not doors:
            break
        door = doors.pop(0)
        before, is_open = plan, is_possible(door, plan)
        plan, more = build_room(plan, door, EYE, taken, rng)
        doors += more
        kept = before.free > 0
        assert (plan.free[kept] == 1).all()
        for piece in before.pieces:
            assert any(np.array_equal(piece[:2], p[:2]) and p[2] <= piece[2] and p[3] >= piece[3] for p in plan.pieces)
        middle = np.zeros(3)
        middle[door.across] = door.wall + door.outwards * (PASSAGE_M + 0.6)
        middle[2 - door.across] = (door.low + door.high) / 2
        end = door.wall + door.outwards * PASSAGE_M
        ends_there = any(abs(p[1] - end) < 1e-9 and p[2] <= door.low and p[3] >= door.high for p in plan.pieces)
        if is_open and not ends_there:  # there was space for a room behind the passage
            around = _Around(middle)
            sight = plan.sight(middle, around.rays)
            ways = [lintel_of(other, sight.disparity, around).near > 0 for other in doors]
            assert (sight.known | np.any([*ways, np.zeros(256, bool)], axis=0)).mean() > 0.98
            assert not plan.stops(middle, _before(door), 0.25)  # the way back is open
    assert plan.free.sum() * 0.125**2 > 24  # more than the first room


class _Around(Bearings):
    """256 directions, as `lintel_of` takes a view's columns."""

    def __init__(self, eye: np.ndarray) -> None:
        turn = (np.arange(256) + 0.5) * (2 * np.pi / 256)
        self.eye, self.rays = eye, np.stack((np.cos(turn), np.zeros(256), np.sin(turn)), -1)


def _before(door: Door) -> np.ndarray:
    place = np.zeros(3)
    place[door.across], place[2 - door.across] = door.wall - door.outwards * 0.6, (door.low + door.high) / 2
    return place


def test_a_door_whose_passage_is_taken_by_now_is_walled_up() -> None:
    plan = room(unseen=True).with_free((-1.0, 1.0, 3.0, 5.0))
    built, more = build_room(plan, DOOR, EYE, ROOM, np.random.default_rng(0))
    assert not more and np.array_equal(built.free, plan.free)
    assert built.stops(np.array([0.5, 0, 1.0]), np.array([0.5, 0, 2.5]), 0.25)


def test_a_view_shows_lintel_low_passage_and_the_room_behind_and_one_can_walk_through() -> None:
    plan, _ = build_room(room(unseen=True), DOOR, EYE, ROOM, np.random.default_rng(3))
    view = LevelView(LENS, np.eye(4), UPRIGHT)
    sight = plan.sight(view.bearings.eye, view.bearings.rays)
    planes = view.planes(Layout(sight.disparity, sight.surface, sight.known), sight, (DOOR,))
    middle = int(np.floor(0.5 / 2.0 * LENS.fx + LENS.cx))
    height = -(np.arange(64) + 0.5 - LENS.cy) / LENS.fy  # of the ray per metre, above the eye
    depth = 1 / planes.disparity[:, middle]
    lintel = (FLOOR + height * 2 > 2.25) & (height * 2 < -CEILING - 0.05)
    assert lintel.any() and np.allclose(depth[lintel], 2.0, rtol=0.02)
    assert (planes.surface[:, middle][lintel] == AHEAD).all()
    low = (FLOOR + height * 2 < 2.15) & (FLOOR + height * 4 > 2.25)
    assert low.any() and np.allclose(depth[low] * height[low], 0.7, rtol=0.02)
    assert (planes.surface[:, middle][low] == CEILING_SURFACE).all()
    beyond = np.abs(view.bearings.points(sight.disparity + 1e-6)[:, 2]) > 2.0 + PASSAGE_M + 2.9
    assert (sight.known & beyond).any() and (depth[np.abs(height) < 0.05] > 2.0 + PASSAGE_M + 2.9).all()
    for x, blocked in ((0.5, False), (-0.7, True), (-0.3, True)):
        assert plan.stops(np.array([x, 0, 1.0]), np.array([x, 0, 2.5]), 0.25) == blocked
    assert isinstance(view.bearings, Bearings)


@pytest.mark.model
def test_forks_and_snapshots_paint_the_same_doors_and_another_seed_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingbot_ros.model.scene.doors._CHANCE", 1.0)
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
    assert mine.house.doors and mine.house.doors != drive(world.start(image, seed=2), poses).scene.house.doors
