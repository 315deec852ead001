"""Memory, renderer, layout and tiles on a room whose depth is known exactly."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.scene.camera import level, to_world, turned
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.keyframes import COPIED, PAINTED, REAL, UNKNOWN, Keyframe, Keyframes
from lingbot_ros.model.scene.layout import MARGIN, find_layout, wall_band
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.passage import is_blocked
from lingbot_ros.model.scene.render import Renderer, View
from lingbot_ros.model.scene.select import select, uncovered_share
from lingbot_ros.model.scene.surfaces import NONE, WALL, find_tilt, find_upright
from lingbot_ros.model.scene.thing import Place, passes
from lingbot_ros.model.scene.tiles import PERIOD_M, SIDE, Tiles
from test.support.box_room import CEILING, FLOOR, HALF_X, HALF_Z, LENS, look, pose_at

RAYS = LENS.rays()


def seen(pose: np.ndarray, origin: int = REAL) -> Keyframe:
    colour, depth = look(pose)
    marks = np.full(depth.shape, origin, np.uint8)
    return Keyframe(colour, 1 / depth, marks, np.full(depth.shape, NONE, np.uint8), pose)


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
        return Keyframe(image, disparity, np.full(shape, REAL, np.uint8), np.full(shape, NONE, np.uint8), np.eye(4))

    sources, pose = [plane(8.0, (0, 200, 0)), plane(4.0, (200, 0, 0))], pose_at(0, 4.0 - 4.0 / nearer, 0)
    renderer = Renderer(LENS)
    closed = renderer.without_gaps(renderer.rendering(sources, pose))
    assert closed.known.all() and np.unique(closed.colour.reshape(-1, 3), axis=0).tolist() == [[200, 0, 0]]
    assert np.allclose(closed.disparity, nearer / 4, rtol=0.01)
    alone = renderer.rendering(sources[1:], pose)
    assert np.array_equal(renderer.without_gaps(alone).colour, alone.view.colour)


def test_copies_of_a_wall_that_disagree_are_painted_and_shown_as_one_wall() -> None:
    """Of a wall at 1 m some pixels are remembered 12 cm nearer: no layers are left.

    What stands well before it stays, and so does what is behind it: else walls would come nearer with each painting.
    """
    pose, lens = pose_at(0, HALF_Z - 1.0, 0), LENS
    colour, depth = look(pose)
    painter = Painter(DepthNetwork((8, 8, 16)), lens)
    upright = find_upright(to_world(RAYS * depth[..., None], pose), 0.0)
    tiles = Tiles()
    painter.write_tiles(tiles, painter.measured(colour, pose, upright)[0], upright)
    layers = depth - 0.12 * (np.random.default_rng(0).random(depth.shape) < 0.3)
    box, behind = np.s_[20:40, 20:40], np.s_[44:56, 4:12]
    layers[box], layers[behind] = 0.6, 1.12
    shape, disparity = depth.shape, (1 / layers).astype(np.float32)

    def view_of(origin: int) -> View:
        surface = np.full(shape, NONE, np.uint8)
        return View(colour, disparity, np.full(shape, origin, np.uint8), surface, np.ones(shape, np.float32))

    wall = np.abs(to_world(RAYS * depth[..., None], pose)[..., 2] - HALF_Z) < 0.01
    wall[box] = wall[behind] = False
    painted = painter.painted(view_of(PAINTED), disparity, pose, tiles, upright)
    flat, shown = painter.flattened(view_of(PAINTED), pose, upright)
    for result in (painted.disparity, shown.disparity):
        assert wall.sum() > 500 and np.ptp(result[wall]) < 0.02 < np.ptp(disparity[wall])
        assert np.allclose(result[box], 1 / 0.6) and np.allclose(result[behind], 1 / 1.12)
    assert flat[wall].all() and not flat[box].any() and not flat[behind].any()
    assert (painted.origin[wall] == PAINTED).all() and (painted.origin[box] == COPIED).all()
    real = painter.painted(view_of(REAL), disparity, pose, tiles, upright)
    assert np.array_equal(real.disparity, disparity) and np.array_equal(real.colour, colour)


def test_memory_selects_what_covers_a_view_and_lets_painted_rows_go_first() -> None:
    memory = Keyframes(LENS, 4)
    assert select(memory, np.eye(4), 4) == [] and uncovered_share(memory, np.eye(4)) == 1
    for yaw in (0.0, np.pi / 2, np.pi):
        memory.record(seen(pose_at(0, 0, yaw)))
    assert select(memory, pose_at(0, 0, np.pi / 2 + 0.05), 1) == [1]
    assert uncovered_share(memory, pose_at(0, 0, 0.02)) < 0.06 < uncovered_share(memory, pose_at(0, 0, -np.pi / 2))
    memory.record(seen(pose_at(0, 0, -np.pi / 2), PAINTED))
    memory.record(seen(pose_at(0.1, 0, -np.pi / 2), PAINTED))
    assert memory.count == 4 and memory.real.sum() >= 2
    copy = Keyframes(LENS, 4)
    copy.load_state(memory.state())
    assert np.array_equal(copy.points, memory.points) and np.array_equal(copy.colour, memory.colour)
    memory.record(seen(np.eye(4)))
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
    nothing = np.zeros(0)
    layout = find_layout(LENS, pose, upright, (column[band], 1 / depth[band]), (nothing, nothing))
    true = 1 / depth[32]
    assert np.abs(layout.disparity[MARGIN:-MARGIN] / true - 1).max() < 0.04
    assert len(set(layout.surface[MARGIN:-MARGIN].tolist())) == 2  # a corner is in view
    assert set(layout.surface.tolist()) <= set(range(WALL, WALL + 4))


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
    copy = Tiles()
    copy.load_state(tiles.state())
    assert np.array_equal(copy.look(floor[:3], *asked)[0], found)


def test_poses_are_levelled_and_turned_about_the_vertical() -> None:
    pitched = np.eye(4)
    c, s = np.cos(0.4), np.sin(0.4)
    pitched[:3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    assert np.allclose(level(pitched), np.eye(4))
    assert np.allclose(turned(np.eye(4), 0.5), pose_at(0, 0, 0.5))
    assert UNKNOWN == 0 and CEILING < 0 < HALF_X


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
