"""Rooms behind painted doors: each is decided as a whole when its door comes into view, with doors of its own.

They are boxes where nothing is known yet, so that the plan never contradicts itself however far one drives.
"""

import numpy as np

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.doors import PASSAGE_M, Door, draw_door, is_possible
from lingbot_ros.model.scene.floor_plan import Box, FloorPlan
from lingbot_ros.model.scene.walls import number_of, wall

_SIZES_M = (8.0, 6.0, 5.0, 4.0, 3.0)
_TRIES = 4
_GAP_M = 0.2
"""Between the walls of two rooms."""
_POST_M = 0.3
_FIRST_CHANCE, _OTHER_CHANCE = 0.95, 0.4
"""That the first of a room's other walls has a door, and each of the rest."""


def build_room(
    plan: FloorPlan, door: Door, eye: Floats, taken: Box, rng: np.random.Generator
) -> tuple[FloorPlan, tuple[Door, ...]]:
    """The plan with the passage and the room behind a door, and the doors that lead on.

    eye [3]: who looks, from the room `taken`. Where something is known behind the door by now it is walled up.
    """
    start, out = door.wall, door.outwards
    end = start + out * PASSAGE_M
    far, near = number_of(door.across, out > 0), number_of(door.across, out < 0)
    pieces = [
        wall(far, start, door.low - _POST_M, door.low),
        wall(far, start, door.high, door.high + _POST_M),
        wall(number_of(2 - door.across, False), door.low, *sorted((start, end))),
        wall(number_of(2 - door.across, True), door.high, *sorted((start, end))),
    ]
    if not is_possible(door, plan):
        return plan.with_walls([wall(far, start, door.low, door.high)], eye), ()
    free = [door.box(start, end, door.low, door.high)]
    doors: tuple[Door, ...] = ()
    fitting = _fitting(plan, door, taken, rng)
    if fitting is None:
        pieces.append(wall(far, end, door.low, door.high))
    else:
        back, low, high = fitting
        free.append(door.box(end, back, low, high))
        pieces += [wall(near, end, low, door.low), wall(near, end, door.high, high)]
        plan = plan.with_free(free[-1])
        sides: list[tuple[int, float, int, float, float]] = [(door.across, back, out, low, high)]
        nearer, farther = sorted((end, back))
        sides += [(2 - door.across, low, -1, nearer, farther), (2 - door.across, high, 1, nearer, farther)]
        for number in rng.permutation(len(sides)):
            across, at, outwards, first, last = sides[number]
            surface = number_of(across, outwards > 0)
            drawn = None
            if rng.random() < (_OTHER_CHANCE if doors else _FIRST_CHANCE):
                drawn = draw_door(plan, across, at, outwards, first, last, rng)
            if drawn is None:
                pieces.append(wall(surface, at, first, last))
            else:
                doors = (*doors, drawn)
                pieces += [wall(surface, at, first, drawn.low), wall(surface, at, drawn.high, last)]
    plan = plan.with_walls(pieces, eye)
    for box in free:
        plan = plan.with_free(box)
    return plan, doors


def _fitting(plan: FloorPlan, door: Door, taken: Box, rng: np.random.Generator) -> tuple[float, float, float] | None:
    """Where the far wall and the side walls of the largest room are for which there is space, by chance."""
    end = door.wall + door.outwards * PASSAGE_M
    for size in _SIZES_M:
        for _ in range(_TRIES):
            depth, width = float(rng.uniform(3.0, size)), float(max(size, door.high - door.low + 2 * _POST_M))
            spare = width - (door.high - door.low) - 2 * _POST_M
            low = door.low - _POST_M - float(rng.uniform(0, spare)) if spare > 0 else door.low - _POST_M
            back = end + door.outwards * depth
            outer = door.box(
                end + door.outwards * _GAP_M, back + door.outwards * _GAP_M, low - _GAP_M, low + width + _GAP_M
            )
            if plan.is_unknown(outer) and not _overlap(outer, taken):
                return back, low, low + width
    return None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
