"""Memory, renderer, layout and tiles on a room whose depth is known exactly."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.scene.bearings import MARGIN, Bearings
from lingbot_ros.model.scene.camera import level, to_world, turned
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.frame import PAINTED, REAL, UNKNOWN
from lingbot_ros.model.scene.keyframes import Keyframe, Keyframes
from lingbot_ros.model.scene.layout import Layout, find_layout, profile_of, wall_band
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.passage import is_blocked
from lingbot_ros.model.scene.render import Renderer, View
from lingbot_ros.model.scene.room_planes import RoomPlanes
from lingbot_ros.model.scene.select import select
from lingbot_ros.model.scene.surfaces import NONE, WALL, find_tilt, find_upright
from lingbot_ros.model.scene.thing import Place, passes
from lingbot_ros.model.scene.tiles import PERIOD_M, SIDE, Tiles
from test.support.box_room import CEILING, FLOOR, HALF_X, HALF_Z, LENS, look, pose_at

RAYS = LENS.rays()


def seen(pose: np.ndarray) -> Keyframe:
    colour, depth = look(pose)
    return Keyframe(colour, 1 / depth, np.full(depth.shape, NONE, np.uint8), pose)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((one.astype(float) - other) ** 2).mean(), 1e-6)))


def test_a_camera_sees_the_points_of_another_where_it_sees_them_in_the_world() -> None:
    here, there = pose_at(0.5, -0.3, 0.4), pose_at(-0.2, 0.1, 0.9)
    distance = np.random.default_rng(0).uniform(0.3, 5, RAYS.shape[:2]).astype(np.float32)
    expected = LENS.project(to_world(RAYS * distance[..., None], here), there)
    found = LENS.project_from(RAYS.reshape(-1, 3).T, distance.reshape(-1), here, there)
    ahead = expected[2].reshape(-1) > 0.1
    for one, other in zip(expected, found, strict=True):
        assert np.allclose(one.reshape(-1)[ahead], other[ahead], atol=2e-3)


def test_a_view_that_was_seen_comes_back_to_the_bit_and_neighbours_come_out_sharp() -> None:
    first, renderer = seen(pose_at(-1, -0.5, 0.3)), Renderer(LENS)
    again = renderer.render([first], first.pose)
    assert np.array_equal(again.colour, first.colour) and again.known.all()
    near = pose_at(-0.9, -0.4, 0.4)
    view, true = renderer.render([first], near), look(near)
    assert view.known.mean() > 0.85
    assert psnr(view.colour[view.known], true[0][view.known]) > 22
    assert np.median(np.abs(view.disparity[view.known] * true[1][view.known] - 1)) < 0.01
    behind = renderer.render([first], pose_at(-1, -0.5, 0.3 + np.pi))
    assert not behind.known.any()
    assert not renderer.render([], near).known.any()


@pytest.mark.parametrize("nearer", [2, 3, 4])
def test_no_frame_shows_what_is_behind_a_wall_that_was_seen_from_afar(nearer: int) -> None:
    """Its points lie `nearer` pixels apart, and those of a room that was seen behind it show between them."""

    def plane(distance_m: float, colour: tuple[int, int, int]) -> Keyframe:
        shape = (LENS.height, LENS.width)
        image = np.broadcast_to(np.array(colour, np.uint8), (*shape, 3)).copy()
        disparity = np.full(shape, 1 / distance_m, np.float32)
        return Keyframe(image, disparity, np.full(shape, NONE, np.uint8), np.eye(4))

    sources, pose = [plane(8.0, (0, 200, 0)), plane(4.0, (200, 0, 0))], pose_at(0, 4.0 - 4.0 / nearer, 0)
    renderer = Renderer(LENS)
    closed = renderer.without_gaps(renderer.rendering(sources, pose))
    assert closed.known.all() and np.unique(closed.colour.reshape(-1, 3), axis=0).tolist() == [[200, 0, 0]]
    assert np.allclose(closed.disparity, nearer / 4, rtol=0.01)
    alone = renderer.rendering(sources[1:], pose)
    assert np.array_equal(renderer.without_gaps(alone).colour, alone.view.colour)


def test_a_wall_is_drawn_from_its_tile_where_it_was_seen_from_much_further_away() -> None:
    first = seen(pose_at(0, -1.5, 0))
    walls = Keyframe(first.colour, first.disparity, np.full(first.surface.shape, WALL + 3, np.uint8), first.pose)
    near = pose_at(0, HALF_Z - 0.6, 0)
    assert Renderer(LENS).render([first], near).known.mean() > 0.9  # what is no wall is shown as well as it can be
    assert not Renderer(LENS).render([walls], near).known.any()


def test_a_frame_is_real_where_something_real_is_known_and_the_room_elsewhere() -> None:
    """A wall that nobody saw hides what is behind it, one that was seen hides nothing that was seen, too."""
    pose, lens = pose_at(0, HALF_Z - 1.0, 0), LENS
    colour, depth = look(pose)
    painter, tiles = Painter(DepthNetwork((8, 8, 16)), lens), Tiles()
    keyframe, upright = painter.measured(colour, pose, find_upright(to_world(RAYS * depth[..., None], pose), 0.0))
    painter.write_tiles(tiles, keyframe, upright)
    surface, known = np.full(depth.shape, WALL + 3, np.uint8), np.ones(depth.shape, bool)
    known[:, 40:] = False
    known[20, 50] = True  # a speck
    view = View(colour, (1 / depth).astype(np.float32), np.full(depth.shape, NONE, np.uint8), known)

    def drawn(distance_m: float, is_painted: bool) -> tuple[np.ndarray, np.ndarray]:
        everywhere = np.full(depth.shape, is_painted)
        wall = np.full(depth.shape, 1 / distance_m, np.float32)
        planes = RoomPlanes(wall, surface, np.ones_like(known), everywhere)
        frame = painter.drawn(view, planes, pose, tiles, upright)
        return frame.origin, frame.disparity

    origin, disparity = drawn(1.0, is_painted=True)
    assert (origin[:, :40] == REAL).all() and (origin[:, 40:] == PAINTED).all()
    assert np.array_equal(disparity[:, :40], view.disparity[:, :40]) and (disparity[:, 50:] == 1.0).all()
    origin, disparity = drawn(0.5, is_painted=True)
    assert (origin == PAINTED).all() and (disparity == 2.0).all()
    origin, _ = drawn(0.5, is_painted=False)
    assert (origin[:, :40] == REAL).all()
    nothing = RoomPlanes(view.disparity, surface, np.zeros_like(known), np.zeros_like(known))
    assert (painter.drawn(view, nothing, pose, tiles, upright).origin[:, 40:] == UNKNOWN).all()


def test_memory_selects_what_covers_a_view_and_lets_the_later_of_two_neighbours_go() -> None:
    memory = Keyframes(LENS, 4)
    assert select(memory, np.eye(4), 4) == []
    for yaw in (0.0, np.pi / 2, np.pi, -np.pi / 2):
        memory.record(seen(pose_at(0, 0, yaw)))
    assert select(memory, pose_at(0, 0, np.pi / 2 + 0.05), 1) == [1]
    memory.record(seen(pose_at(0.1, 0, -np.pi / 2)))  # all rows are in use: it takes that of one near to another
    assert memory.count == 4 and memory.time.max() == 5
    memory.record(seen(pose_at(0.11, 0, -np.pi / 2)))
    memory.record(seen(np.eye(4)))
    turns = {round(float(np.arctan2(pose[0, 2], pose[2, 2])), 1) for pose in memory.pose}
    assert {0.0, -1.6} < turns and len(turns) >= 3
    copy = Keyframes(LENS, 4)
    copy.load_state(memory.state())
    assert np.array_equal(copy.points, memory.points) and np.array_equal(copy.colour, memory.colour)
    memory.record(seen(pose_at(0.5, 0.5, 0.2)))
    assert not np.array_equal(copy.pose, memory.pose)  # nothing is shared
    with pytest.raises(ValueError, match="colour"):
        Keyframes(LENS, 5).load_state(memory.state())


def test_walls_stop_the_camera_and_open_floor_does_not() -> None:
    memory = Keyframes(LENS, 4)
    memory.record(seen(np.eye(4)))
    assert not is_blocked(memory, np.zeros(3), np.array([0, 0, 0.5]), 0.3, FLOOR)
    near_wall = np.array([0, 0, HALF_Z - 0.32])
    ahead = np.array([0, 0, 0.1])
    assert is_blocked(memory, near_wall, near_wall + ahead, 0.3, FLOOR)
    assert not is_blocked(memory, near_wall, near_wall - ahead, 0.3, FLOOR)
    assert not is_blocked(memory, near_wall, near_wall, 0.3, FLOOR)


def test_the_room_is_read_off_a_view_and_its_layout_found() -> None:
    pose = pose_at(0.5, -0.8, 0.35)
    _, depth = look(pose)
    points = to_world(RAYS * depth[..., None], pose)
    upright = find_upright(points, 0.0)
    assert upright.floor_y == pytest.approx(FLOOR, abs=0.02)
    assert abs((upright.yaw_rad + np.pi / 4) % (np.pi / 2) - np.pi / 4) < 0.02
    band = wall_band(points, FLOOR)
    column = np.broadcast_to(np.arange(64) + 0.5, band.shape)
    profile = profile_of(column[band], (1 / depth)[band], LENS.width + 2 * MARGIN)
    layout = find_layout(Bearings(LENS, pose, upright), profile, np.zeros((0, 5)))
    true = 1 / depth[32]
    assert np.abs(layout.disparity[MARGIN:-MARGIN] / true - 1).max() < 0.04
    assert len(set(layout.surface[MARGIN:-MARGIN].tolist())) == 2  # a corner is in view
    assert set(layout.surface.tolist()) <= set(range(WALL, WALL + 4)) and layout.known[MARGIN:-MARGIN].all()
    walls = [(int(n), round(float(at), 1)) for n, at in _walls(layout, Bearings(LENS, pose, upright))]
    near = np.array([[n, at + 0.1, -9, 9, 1.0] for n, at in walls])
    snapped = find_layout(Bearings(LENS, pose, upright), profile, near)
    found = _walls(snapped, Bearings(LENS, pose, upright))
    assert [round(float(at), 3) for _, at in found] == [round(at + 0.1, 3) for _, at in walls]


def _walls(layout: Layout, bearings: Bearings) -> list[tuple[int, float]]:
    """Surface and place of the straight walls of a layout, in view."""
    points, inside = bearings.points(layout.disparity), slice(MARGIN, -MARGIN)
    found = {}
    for surface in np.unique(layout.surface[inside]):
        mine = layout.surface[inside] == surface
        found[int(surface)] = float(np.median(points[inside][mine, 2 * ((surface - WALL) % 2)]))
    return sorted(found.items())


def test_a_mirror_image_is_as_far_as_the_image() -> None:
    torch.manual_seed(0)
    painter, image = Painter(DepthNetwork((8, 8, 16)).eval(), LENS), look(pose_at(-1, -0.5, 0.3))[0]
    straight, mirrored = painter.disparity_of(image), painter.disparity_of(np.ascontiguousarray(image[:, ::-1]))
    assert np.ptp(straight) > 0.01 and np.allclose(mirrored[:, ::-1], straight, rtol=1e-4)


def test_tiles_give_back_what_real_pixels_wrote() -> None:
    tiles, rng = Tiles(), np.random.default_rng(0)
    at = rng.uniform(0, 6, (60_000, 2)).astype(np.float32)
    is_light = (np.floor(at).sum(-1) % 2).astype(bool)
    colour = np.where(is_light[:, None], 200, 40).astype(np.uint8).repeat(3, 1)
    floor = np.zeros(len(at), np.uint8)
    assert not tiles.look(floor[:5], at[:5], np.full(5, 0.02))[1].any()
    tiles.write(floor, at, colour, np.full(len(at), 0.02, np.float32))
    asked = (np.array([[0.5, 0.5], [1.5, 0.5], [8.5, 3.5]]), np.full(3, PERIOD_M / SIDE, np.float32))
    found, known = tiles.look(floor[:3], *asked)
    assert known.all() and np.abs(found[:, 0] - [40, 200, 200]).max() < 10
    of_wall, known = tiles.look(floor[:3] + np.uint8(WALL), *asked)  # none was seen: grey, the same from everywhere
    assert known.all() and of_wall.std() < 0.1 and 100 < of_wall.mean() < 140
    copy = Tiles()
    copy.load_state(tiles.state())
    assert np.array_equal(copy.look(floor[:3], *asked)[0], found)


def test_poses_are_levelled_and_turned_about_the_vertical() -> None:
    pitched = np.eye(4)
    c, s = np.cos(0.4), np.sin(0.4)
    pitched[:3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    assert np.allclose(level(pitched), np.eye(4))
    assert np.allclose(turned(np.eye(4), 0.5), pose_at(0, 0, 0.5))
    assert CEILING < 0 < HALF_X


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (8.0, 0.0), (-11.0, 0.0), (5.0, 4.0)])
def test_a_tilted_camera_is_told_by_floor_and_ceiling(pitch: float, roll: float) -> None:
    up, right = np.radians([pitch, roll])
    pose = pose_at(-1.5, 0.3, 1.2)
    pose[:3, :3] @= [[1, 0, 0], [0, np.cos(up), -np.sin(up)], [0, np.sin(up), np.cos(up)]]
    pose[:3, :3] @= [[np.cos(right), -np.sin(right), 0], [np.sin(right), np.cos(right), 0], [0, 0, 1]]
    found = find_tilt(LENS.rays() * look(pose)[1][..., None])
    assert found is not None
    assert found == pytest.approx((pitch, roll), abs=1.0)


def test_what_is_not_flat_tells_no_tilt() -> None:
    rng = np.random.default_rng(0)
    assert find_tilt(LENS.rays() * rng.uniform(1, 3, (64, 64, 1)).astype(np.float32)) is None


@pytest.mark.parametrize(("goal", "stopped"), [(1.0, False), (1.5, True), (4.0, True), (-1.0, False)])
def test_a_thing_stands_in_the_way_also_of_a_long_step(goal: float, stopped: bool) -> None:
    assert passes(Place(0.1, 2.0, 0.0), pose_at(0, 0, 0), pose_at(0, goal, 0), 0.25) == stopped
    assert not passes(Place(0.1, 2.0, 0.0), pose_at(0, 1.6, 0), pose_at(0, 0.5, 0), 0.25)  # away from it


def test_walls_that_nobody_saw_look_like_those_that_were_seen_and_corners_show() -> None:
    def brightness(of: int, seen_ones: dict[int, int]) -> float:
        tiles, rng = Tiles(), np.random.default_rng(0)
        for number, grey in seen_ones.items():
            at = rng.uniform(0, 2, (20_000, 2)).astype(np.float32)
            colour = (grey + rng.integers(-9, 9, (len(at), 1))).repeat(3, 1).astype(np.uint8)
            tiles.write(np.full(len(at), number, np.uint8), at, colour, np.full(len(at), 0.02, np.float32))
        asked = np.full(500, of, np.uint8), rng.uniform(0, 2, (500, 2)), np.full(500, 0.02, np.float32)
        colours, known = tiles.look(*asked)
        assert known.all()
        return float(colours.mean())

    assert brightness(WALL, {WALL: 120}) == pytest.approx(120, abs=2)
    assert brightness(WALL + 2, {WALL: 120}) == pytest.approx(120, abs=2)
    assert brightness(WALL + 1, {WALL: 120}) == pytest.approx(108, abs=2)
    assert brightness(WALL + 2, {WALL: 120, WALL + 1: 80}) == pytest.approx(80, abs=2)
    assert brightness(WALL + 3, {WALL: 120, WALL + 1: 80}) == pytest.approx(120, abs=2)


def test_a_tile_of_which_little_was_seen_goes_on_with_its_own_pattern() -> None:
    tiles, rng = Tiles(), np.random.default_rng(0)
    at = rng.uniform(0, 1.1, (40_000, 2)).astype(np.float32)
    is_light = (np.floor(at * 4).sum(-1) % 2).astype(bool)
    colour = np.where(is_light[:, None], 200, 40).astype(np.uint8).repeat(3, 1)
    tiles.write(np.zeros(len(at), np.uint8), at, colour, np.full(len(at), 0.02, np.float32))
    asked = np.stack(np.meshgrid(*[np.arange(1.375, 2, 0.25)] * 2), -1).reshape(-1, 2)
    found, _ = tiles.look(np.zeros(len(asked), np.uint8), asked, np.full(len(asked), PERIOD_M / SIDE, np.float32))
    assert (np.abs(found[:, 0] - np.where(np.floor(asked * 4).sum(-1) % 2, 200, 40)) < 30).mean() > 0.9
