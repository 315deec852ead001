"""What is known of rooms, on the box whose walls are known exactly: seen, remembered, closed where nobody looked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingbot_ros.model.scene.bearings import MARGIN, Bearings
from lingbot_ros.model.scene.enclosure import Room, enclose
from lingbot_ros.model.scene.floor_plan import LIMIT, FloorPlan
from lingbot_ros.model.scene.house import House
from lingbot_ros.model.scene.layout import Layout, find_layout
from lingbot_ros.model.scene.room_planes import LevelView
from lingbot_ros.model.scene.surfaces import WALL, Upright
from lingbot_ros.model.scene.walls import REAL, add_wall, distances, wall
from test.support.box_room import CEILING, FLOOR, HALF_Z, LENS, look, pose_at

UPRIGHT = Upright(FLOOR, CEILING, 0.0)
IN_VIEW = slice(MARGIN, -MARGIN)
SPAN = slice(MARGIN, MARGIN + LENS.width)
EYE = np.zeros(3)


def bearings_at(pose: np.ndarray) -> Bearings:
    return LevelView(LENS, pose, UPRIGHT).bearings


def seen(pose: np.ndarray, plan: FloorPlan | None = None) -> FloorPlan:
    """A plan with what a real view from `pose` shows of the box."""
    plan = FloorPlan.empty() if plan is None else plan
    view, (_, depth) = LevelView(LENS, pose, UPRIGHT), look(pose)
    profile = view.profile((1 / depth).astype(np.float32), np.ones(depth.shape, bool))
    return plan.with_real_view(view.bearings, find_layout(view.bearings, profile, plan.pieces), view.span)


def closed(pose: np.ndarray, plan: FloorPlan, guess_m: float) -> FloorPlan:
    """With what closes the view from `pose` where walls are guessed as far ahead as that."""
    view = LevelView(LENS, pose, UPRIGHT)
    sight = plan.sight(view.bearings.eye, view.bearings.rays)
    found = enclose(view.bearings, sight, plan, np.full(len(sight.known), 1 / guess_m))
    return plan.with_view(view.bearings, found.layout, found.certain | found.guessed, view.span)


@pytest.mark.parametrize("yaw", [0.0, 0.7, 2.0, -2.5])
def test_a_plan_gives_back_the_walls_that_a_view_showed_and_from_elsewhere_too(yaw: float) -> None:
    plan = seen(pose_at(-1, -0.5, yaw))
    for pose in (pose_at(-1, -0.5, yaw), pose_at(-0.8, -0.4, yaw + 0.2)):
        bearings, true = bearings_at(pose), 1 / look(pose)[1][32]
        sight = plan.sight(bearings.eye, bearings.rays)
        known = sight.known[IN_VIEW]
        assert known.mean() > 0.7 and sight.real[IN_VIEW][known].all()
        assert np.abs(sight.disparity[IN_VIEW] / true - 1)[known].max() < 0.06
    behind = bearings_at(pose_at(-1, -0.5, yaw + np.pi))
    assert not plan.sight(behind.eye, behind.rays).known.any()


def test_a_wall_is_one_from_both_sides_but_known_only_where_the_way_to_it_is() -> None:
    plan = FloorPlan.empty().with_walls([wall(WALL + 3, 2.0, -3, 3)], EYE).with_free((-1, 1, -1, 2))
    ahead, back = np.array([[0.0, 0, 1]]), np.array([[0.0, 0, -1]])
    here = plan.sight(EYE, ahead)
    assert here.known.all() and here.surface[0] == WALL + 3 and 1 / here.disparity[0] == pytest.approx(2.0)
    there = np.array([0.0, 0, 5.0])
    assert plan.sight(there, back).surface[0] == WALL + 1 and not plan.sight(there, back).known.any()
    assert plan.with_free((-1, 1, 2, 6)).sight(there, back).known.all()
    assert not plan.sight(EYE, np.array([[1.0, 0, 0.0]])).known.any()  # nothing is there


@given(st.lists(st.tuples(st.floats(-2.5, 2.5), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1)), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_what_is_painted_stays_where_it_is(places: list[tuple[float, float, float]]) -> None:
    """However often views are closed, walls only become longer, and what was free stays free."""
    plan = seen(pose_at(0, 0, 0))
    for x, z, yaw in places:
        before, plan = plan, closed(pose_at(x, z, yaw), plan, 2.5)
        assert (plan.free >= before.free).all()
        for piece in before.pieces:
            same = [p for p in plan.pieces if p[0] == piece[0] and abs(p[1] - piece[1]) < 0.02]
            assert any(p[2] <= piece[2] and p[3] >= piece[3] for p in same)
        assert plan.stops(np.array([x, 0, z]), np.array([x, 0, z + 40.0]), 0.2) or yaw  # nobody walks through walls


def test_no_wall_is_painted_in_the_midst_of_free_floor() -> None:
    pose, plan = pose_at(0, 0, 0), FloorPlan.empty().with_free((-2, 2, -2, 6))
    bearings = bearings_at(pose)
    everywhere = np.ones(len(bearings.rays), bool)
    layout = Layout(
        np.full(len(everywhere), 1 / 3.0, np.float32), np.full(len(everywhere), WALL + 3, np.uint8), everywhere
    )
    assert not len(plan.with_view(bearings, layout, everywhere, SPAN).pieces)
    assert len(FloorPlan.empty().with_view(bearings, layout, everywhere, SPAN).pieces) == 1


def test_a_real_view_takes_away_painted_walls_that_it_sees_through_and_no_real_ones() -> None:
    painted, real = wall(WALL + 3, 1.0, -1, 1), wall(WALL + 3, 1.2, -1, 1)
    real[REAL] = 1
    plan = seen(pose_at(0, 0, 0), FloorPlan.empty().with_walls([painted, real, wall(WALL, -8.0, -1, 1)], EYE))
    places = plan.pieces[:, 1].round(2).tolist()
    assert 1.2 in places and -8.0 in places
    left = [p for p in plan.pieces if p[1] == 1.0]
    assert all(p[2] > 0.4 or p[3] < -0.4 for p in left)  # what was beside the view stays


def test_a_room_is_closed_by_walls_that_are_known_and_open_where_the_floor_is() -> None:
    """Seen towards +z and -x; turned half away the known far wall goes on, and the guess closes the rest."""
    plan = seen(pose_at(0, 0, -0.4))
    pose = pose_at(0, 0, 0.6)
    bearings = bearings_at(pose)
    sight = plan.sight(bearings.eye, bearings.rays)
    found = enclose(bearings, sight, plan, np.full(len(sight.known), 1 / 3.0))
    assert 0 < sight.known[IN_VIEW].mean() < 0.6
    assert found.certain[IN_VIEW].any() and found.guessed[IN_VIEW].any()
    points = bearings.points(found.layout.disparity)
    assert np.allclose(points[found.certain, 2], HALF_Z, atol=0.1)
    (right,) = np.unique(points[found.guessed, 0].round(3))
    assert 2.0 < right < 3.5 and found.box[1] == pytest.approx(right, abs=1e-3)
    opened = plan.with_free((-0.2, 2.5, -0.2, 8.0))  # through the far wall, where nobody saw it
    found = enclose(bearings, opened.sight(bearings.eye, bearings.rays), opened)
    through = (bearings.rays[:, 0] / bearings.rays[:, 2] > 0.4) & (bearings.rays[:, 0] / bearings.rays[:, 2] < 0.9)
    assert not (found.certain | found.guessed | found.layout.known)[through].any()
    assert (bearings.points(found.layout.disparity)[through, 2] > 2.2).all()


def test_nothing_is_painted_before_what_is_really_seen() -> None:
    """Also where it is no straight wall, such as what is seen through a door."""
    house, view = House(seen(pose_at(0, 0, -0.4))), LevelView(LENS, pose_at(0, 0, 0.6), UPRIGHT)
    everywhere, guess = np.ones((LENS.height, LENS.width), bool), np.full((LENS.height, LENS.width), 0.4, np.float32)
    rng = np.random.default_rng(0)
    for real, changes in ((everywhere, False), (~everywhere, True)):
        completed = house.seen_from(view, real)[0].with_guess(view, real, guess, False, rng)
        assert np.array_equal(completed.plan.walls, house.plan.walls) != changes
    assert len(completed.plan.pieces) > len(house.plan.pieces)


def test_an_unknown_side_stands_no_further_than_the_next_wall() -> None:
    plan = FloorPlan.empty().with_walls([wall(WALL + 1, 1.7, -5, 5)], EYE)  # of the room next door
    assert Room.around(plan, EYE).box[3] == pytest.approx(1.7)
    rays, far = np.array([[0.1, 0, 1.0]] * 8), np.full(8, 1 / 6.0)
    assert Room.around(plan, EYE).guessed(EYE, rays, far).box[3] == pytest.approx(1.7)
    assert Room.around(FloorPlan.empty(), EYE).guessed(EYE, rays, far).box[3] == pytest.approx(6.0)


@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(-4, 4), st.floats(-4, 4), st.floats(0.05, 0.6))
@settings(max_examples=200, deadline=None)
def test_walls_stop_a_robot_as_many_small_steps_would(
    x: float, z: float, to_x: float, to_z: float, radius: float
) -> None:
    plan = FloorPlan.empty().with_walls([wall(WALL + 3, 1.0, -1, 1), wall(WALL, -2.0, -1, 3)], EYE)
    start, goal = np.array([x, 0, z]), np.array([to_x, 0, to_z])
    way = distances(plan.pieces, np.linspace(start, goal, 4001))
    least = way.min(0)
    if (np.abs(least - radius) < 2e-3).any() or (np.abs(least - way[0]) < 2e-3).any():
        return  # too close to call
    assert plan.stops(start, goal, radius) == bool(((least < radius) & (least < way[0])).any())


def test_a_step_of_any_length_is_judged_at_once() -> None:
    plan = FloorPlan.empty().with_walls([wall(WALL + 3, 1.0, -1, 1)], EYE)
    assert plan.stops(EYE, np.array([0, 0, 1e9]), 0.2)
    assert not plan.stops(EYE, np.array([0, 0, -1e9]), 0.2)
    assert not plan.stops(EYE, EYE, 0.2)


def test_a_full_plan_forgets_the_painted_wall_that_is_farthest() -> None:
    walls = np.zeros((LIMIT, 5))
    for number in range(LIMIT):
        add_wall(walls, wall(WALL, 1.0 + number, -1, 1), EYE)
    walls[LIMIT - 1, REAL] = 1  # real walls stay
    add_wall(walls, wall(WALL + 2, 0.5, -1, 1), EYE)
    assert (walls[:, 0] > 0).all() and 0.5 in walls[:, 1]
    assert LIMIT in walls[:, 1] and LIMIT - 1 not in walls[:, 1]


def test_a_plan_comes_back_from_its_state_and_no_other_does() -> None:
    plan = seen(pose_at(-1, -0.5, 0.4))
    state = plan.state()
    again = FloorPlan.of_state(state)
    assert np.array_equal(again.walls, plan.walls) and np.array_equal(again.free, plan.free)
    assert not np.shares_memory(again.free, plan.free)
    endless = state["walls"].clone()
    endless[0, 3] = 1e300
    damaged = (("walls", state["walls"][:3]), ("walls", state["walls"] + 9), ("walls", endless), ("free", endless))
    for name, damage in damaged:
        with pytest.raises(ValueError, match="wall|free"):
            FloorPlan.of_state(state | {name: damage})
