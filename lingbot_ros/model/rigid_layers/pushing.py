"""The law of contact compiled to machine code by numba: one shape after another, in float64, without any array code.

All that is compiled is in this one file: what numba keeps on the disk is renewed when the file of the function changes,
not when another one does that it calls. Import it where a shape moves, not before: that takes a while.

A contact is a row of five: the way x, y and lever in which it pushes (its normal, and how much a turn moves it along
the normal, over the gyration), the want (how far it must move along the normal) and the price of a pixel that it misses
of that. Motions are a shift x, y and a turn times the gyration. Edges are columns, see `measure`.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.compiled import keeping

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Motion = tuple[float, float, float]

_SIGNATURE = (
    "void(float32[:,:,:], float32[:,:,:,:], float32[:,:,:], float32[:,:,:,:,:], float64[::1], float32[:,:,:,::1])"
)

_compiled = njit(error_model="numpy")

_TINY = 1e-9
_SAME_SIDE = 0.7
"""Places whose outward directions have a greater cosine than this are one contact."""

_SETTLED_PX = 1e-3
"""What is no deeper in a wall than the slop and this, and is not pushed, stays there."""

_TOLERANCE_PX = 1e-4
_SINGULAR = 1e-3
"""Contacts whose determinant is smaller want the same: fewer of them say what they say."""

_OF_WALL, _OF_DISC = 1e3, 30.0
"""What it costs to miss what a wall and a disc want, per pixel."""

_MOST_CONTACTS = 10
"""Two of the disc, two corners in each of four walls."""

_REACH, _GYRATION, _SLOP, _YIELDING, _WALLS = range(5)
"""Where the constants of a law are, the walls last."""

_X, _Y, _ANGLE, _COSINE, _SINE = range(5)
"""Where it is written where a shape's centre is, and how the shape is turned."""

_EDGE_ROWS = 12
_START_X, _START_Y, _EDGE_X, _EDGE_Y, _SHARE_X, _SHARE_Y = range(6)
_APART_X, _APART_Y, _SQUARE, _OUTSIDE, _TURNED_X, _TURNED_Y = range(6, _EDGE_ROWS)


@_compiled
def new_edges(corners: int) -> Floats:
    """Room for the edges of an outline with so many corners."""
    return np.empty((_EDGE_ROWS, corners))


@_compiled
def measure(outline: Floats, centre_x: float, centre_y: float, edges: Floats) -> tuple[int, float]:
    """Fill in the edges of an outline [V, 2] about its centre; returns their count and the radius of the shape.

    Rows of `edges`: x and y of the start, of the edge, and of the edge over its squared length; then of the point that
    was asked about last, seen from the nearest place of the edge, the squared length of that and whether it is outside;
    then of the start when the shape is turned.
    """
    count, last = len(outline), outline[-1]
    while count > 1 and outline[count - 2, 0] == last[0] and outline[count - 2, 1] == last[1]:
        count -= 1
    square = 0.0
    for i in range(count):
        x, y = outline[i, 0] - centre_x, outline[i, 1] - centre_y
        edges[_START_X, i], edges[_START_Y, i] = x, y
        square = max(square, x * x + y * y)
    for i in range(count):
        following = i + 1 if i + 1 < count else 0
        x = edges[_START_X, following] - edges[_START_X, i]
        y = edges[_START_Y, following] - edges[_START_Y, i]
        length = max(x * x + y * y, _TINY)
        edges[_EDGE_X, i], edges[_EDGE_Y, i] = x, y
        edges[_SHARE_X, i], edges[_SHARE_Y, i] = x / length, y / length
    return count, math.sqrt(square)


@_compiled
def distance_to(edges: Floats, count: int, x: float, y: float) -> tuple[float, int]:
    """Signed distance of a point in the shape's frame, negative inside, and the nearest edge."""
    nearest, least, is_inside = 0, np.inf, False
    for i in range(count):
        offset_x, offset_y = x - edges[_START_X, i], y - edges[_START_Y, i]
        edge_x, edge_y = edges[_EDGE_X, i], edges[_EDGE_Y, i]
        along = min(max(offset_x * edges[_SHARE_X, i] + offset_y * edges[_SHARE_Y, i], 0.0), 1.0)
        apart_x, apart_y = offset_x - along * edge_x, offset_y - along * edge_y
        square = max(apart_x * apart_x + apart_y * apart_y, _TINY)
        is_outside = offset_y * edge_x < offset_x * edge_y
        edges[_APART_X, i], edges[_APART_Y, i] = apart_x, apart_y
        edges[_SQUARE, i], edges[_OUTSIDE, i] = square, is_outside
        if square < least:
            nearest, least = i, square
        # A ray from a point inside crosses the outline an odd number of times.
        if (offset_y >= 0) != (offset_y >= edge_y) and is_outside != (edge_y > 0):
            is_inside = not is_inside
    distance = math.sqrt(least)
    return -distance if is_inside else distance, nearest


@_compiled
def second_contact(edges: Floats, count: int, distance: float, nearest: int) -> tuple[float, int]:
    """The other place that the point asked about last is near, in an inner corner: its distance and edge.

    It is on a side that faces another way, and the point on the outer side of it; infinite where there is none.
    """
    near_x, near_y, near = edges[_APART_X, nearest], edges[_APART_Y, nearest], abs(distance)
    second, least = 0, np.inf
    for i in range(count):
        if edges[_OUTSIDE, i] and edges[_SQUARE, i] < least:
            alike = edges[_APART_X, i] * near_x + edges[_APART_Y, i] * near_y
            if alike <= _SAME_SIDE * near * math.sqrt(edges[_SQUARE, i]):
                second, least = i, edges[_SQUARE, i]
    return math.sqrt(least), second


@_compiled
def outward(edges: Floats, edge: int, distance: float) -> tuple[float, float]:
    """The direction from an edge to the point asked about last, which is at this signed distance from it."""
    return edges[_APART_X, edge] / distance, edges[_APART_Y, edge] / distance


@_compiled
def wedged(contacts: Floats) -> Motion:
    """The motion by the two contacts of an inner corner: one push if it satisfies both, else both."""
    a, b = contacts[0], contacts[1]
    aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
    bb = b[0] * b[0] + b[1] * b[1] + b[2] * b[2]
    ab = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    first, second = a[3] / aa, b[3] / bb
    if first * ab >= b[3]:
        second = 0.0
    elif second * ab >= a[3]:
        first = 0.0
    else:
        determinant = max(aa * bb - ab * ab, 1e-6)
        first = max((bb * a[3] - ab * b[3]) / determinant, 0.0)
        second = max((aa * b[3] - ab * a[3]) / determinant, 0.0)
    return first * a[0] + second * b[0], first * a[1] + second * b[1], first * a[2] + second * b[2]


@_compiled
def jammed(contacts: Floats, count: int) -> Motion:
    """The smallest motion that satisfies the first `count` contacts; what misses some costs their price.

    A motion has three unknowns, so that the smallest one that satisfies all is determined by one, two or three of them:
    all of these are worked out, and the best is taken.
    """
    best, x, y, turn = np.inf, 0.0, 0.0, 0.0
    for i in range(count):
        a = contacts[i]
        aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
        scale = a[3] / max(aa, _TINY)
        best, x, y, turn = _better(contacts, count, a[0] * scale, a[1] * scale, a[2] * scale, best, x, y, turn)
    for i in range(count):
        a = contacts[i]
        aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
        for j in range(i + 1, count):
            b = contacts[j]
            bb = b[0] * b[0] + b[1] * b[1] + b[2] * b[2]
            ab = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
            scale = _inverse(aa * bb - ab * ab)
            first, second = (bb * a[3] - ab * b[3]) * scale, (aa * b[3] - ab * a[3]) * scale
            x_of_two = first * a[0] + second * b[0]
            y_of_two = first * a[1] + second * b[1]
            turn_of_two = first * a[2] + second * b[2]
            best, x, y, turn = _better(contacts, count, x_of_two, y_of_two, turn_of_two, best, x, y, turn)
    for i in range(count):
        a = contacts[i]
        for j in range(i + 1, count):
            b = contacts[j]
            ab_x, ab_y, ab_turn = _cross(a, b)
            for k in range(j + 1, count):
                c = contacts[k]
                bc_x, bc_y, bc_turn = _cross(b, c)
                ca_x, ca_y, ca_turn = _cross(c, a)
                scale = _inverse(a[0] * bc_x + a[1] * bc_y + a[2] * bc_turn)
                first, second, third = a[3] * scale, b[3] * scale, c[3] * scale
                x_of_three = first * bc_x + second * ca_x + third * ab_x
                y_of_three = first * bc_y + second * ca_y + third * ab_y
                turn_of_three = first * bc_turn + second * ca_turn + third * ab_turn
                best, x, y, turn = _better(contacts, count, x_of_three, y_of_three, turn_of_three, best, x, y, turn)
    return x, y, turn


@_compiled
def _better(
    contacts: Floats,
    count: int,
    x: float,
    y: float,
    turn: float,
    best: float,
    best_x: float,
    best_y: float,
    best_turn: float,
) -> tuple[float, float, float, float]:
    """The cheaper of two motions, with its cost."""
    cost = x * x + y * y + turn * turn
    for i in range(count):
        contact = contacts[i]
        missed = contact[3] - (contact[0] * x + contact[1] * y + contact[2] * turn) - _TOLERANCE_PX
        if missed > 0:
            cost += missed * contact[4]
    return (cost, x, y, turn) if cost < best else (best, best_x, best_y, best_turn)


@_compiled
def _cross(a: Floats, b: Floats) -> Motion:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@_compiled
def _inverse(determinant: float) -> float:
    return 0.0 if abs(determinant) < _SINGULAR else 1 / determinant


@_compiled
def _demand(
    contact: Floats,
    normal_x: float,
    normal_y: float,
    lever_x: float,
    lever_y: float,
    overlap: float,
    step_x: float,
    step_y: float,
    price: float,
    law: Floats,
) -> None:
    """Write down a contact that pushes along a normal at a place, given from the centre: as the disc steps, and out of
    what overlaps."""
    contact[0], contact[1] = normal_x, normal_y
    contact[2] = (lever_x * normal_y - lever_y * normal_x) / law[_GYRATION]
    out = law[_YIELDING] * max(overlap - law[_SLOP], 0.0)
    contact[3] = out + max(step_x * normal_x + step_y * normal_y, 0.0)
    contact[4] = price


@_compiled
def _against_disc(
    edges: Floats,
    edge: int,
    distance: float,
    contact: Floats,
    place: Floats,
    offset_x: float,
    offset_y: float,
    step_x: float,
    step_y: float,
    law: Floats,
) -> None:
    """The contact of an edge that is at this distance from the disc at an offset from the shape's centre."""
    x, y = outward(edges, edge, -distance)
    normal_x, normal_y = x * place[_COSINE] - y * place[_SINE], y * place[_COSINE] + x * place[_SINE]
    overlap = law[_REACH] - distance
    _demand(contact, normal_x, normal_y, offset_x, offset_y, overlap, step_x, step_y, _OF_DISC, law)


@_compiled
def _depth(place: Floats, radius: float, law: Floats) -> float:
    """How far a circle about the centre of a shape is beyond the wall that it is most beyond."""
    to_left_or_top = max(law[_WALLS] - place[_X], law[_WALLS + 1] - place[_Y])
    return radius + max(to_left_or_top, place[_X] - law[_WALLS + 2], place[_Y] - law[_WALLS + 3])


@_compiled
def _depth_of_corners(edges: Floats, count: int, place: Floats, law: Floats) -> float:
    """How deep the deepest corner is in any wall, negative inside of the box. Turns corners for `_against_walls`."""
    deepest = -np.inf
    for i in range(count):
        x, y = edges[_START_X, i], edges[_START_Y, i]
        turned_x, turned_y = x * place[_COSINE] - y * place[_SINE], y * place[_COSINE] + x * place[_SINE]
        edges[_TURNED_X, i], edges[_TURNED_Y, i] = turned_x, turned_y
        turned_x, turned_y = turned_x + place[_X], turned_y + place[_Y]
        deepest = max(deepest, law[_WALLS] - turned_x, law[_WALLS + 1] - turned_y)
        deepest = max(deepest, turned_x - law[_WALLS + 2], turned_y - law[_WALLS + 3])
    return deepest


@_compiled
def _against_walls(edges: Floats, count: int, contacts: Floats, used: int, place: Floats, law: Floats) -> int:
    """Add each wall against the two corners that are deepest in it; returns how many contacts there are then."""
    for wall in range(4):
        axis, sign = wall % 2, 1.0 if wall < 2 else -1.0
        corners = edges[_TURNED_X + axis]
        of_centre = sign * (law[_WALLS + wall] - place[axis])
        first, second, depth, less = 0, 0, -np.inf, -np.inf
        for i in range(count):
            depth_here = of_centre - sign * corners[i]
            if depth_here > depth:
                first, second, depth, less = i, first, depth_here, depth
            elif depth_here > less:
                second, less = i, depth_here
        normal_x, normal_y = (0.0, sign) if axis else (sign, 0.0)
        for corner, overlap in ((first, depth), (second, less)):
            # A corner deeper in a wall than the centre is away from it has gone through it, and is held no longer.
            if 0 < overlap < -of_centre:
                lever_x, lever_y = edges[_TURNED_X, corner], edges[_TURNED_Y, corner]
                _demand(contacts[used], normal_x, normal_y, lever_x, lever_y, overlap, 0.0, 0.0, _OF_WALL, law)
                used += 1
    return used


@_compiled
def _sweep(
    path: Floats, place: Floats, edges: Floats, count: int, radius: float, contacts: Floats, law: Floats
) -> bool:
    """Move a shape by what a disc does on its path [1 + substeps + 1, 2]; returns whether it moved."""
    reach, near = law[_REACH], law[_REACH] + radius
    has_moved, is_at_rest = False, False
    for k in range(1, len(path) - 1):
        step_x, step_y = float(path[k, 0]) - path[k - 1, 0], float(path[k, 1]) - path[k - 1, 1]
        offset_x, offset_y = path[k, 0] - place[_X], path[k, 1] - place[_Y]
        distance, nearest = np.inf, 0
        if offset_x * offset_x + offset_y * offset_y < near * near:
            x = offset_x * place[_COSINE] + offset_y * place[_SINE]
            y = offset_y * place[_COSINE] - offset_x * place[_SINE]
            distance, nearest = distance_to(edges, count, x, y)
        touches, depth = distance < reach, -np.inf
        if (touches or not is_at_rest) and _depth(place, radius, law) > 0:
            depth = _depth_of_corners(edges, count, place, law)
        is_held = depth > law[_SLOP] + _SETTLED_PX or (touches and depth > 0)
        is_at_rest = True
        if not touches and not is_held:
            continue
        used = 0
        if touches:
            _against_disc(edges, nearest, distance, contacts[0], place, offset_x, offset_y, step_x, step_y, law)
            second_distance, second = second_contact(edges, count, distance, nearest)
            used = 1
            if second_distance < reach:
                _against_disc(
                    edges, second, second_distance, contacts[1], place, offset_x, offset_y, step_x, step_y, law
                )
                used = 2
        if is_held:
            used = _against_walls(edges, count, contacts, used, place, law)
            if used == 0:
                continue
            shift_x, shift_y, turn = jammed(contacts, used)
        elif used == 2:
            shift_x, shift_y, turn = wedged(contacts)
        else:
            way = contacts[0]
            scale = way[3] / (1 + way[2] * way[2])
            shift_x, shift_y, turn = way[0] * scale, way[1] * scale, way[2] * scale
        place[_X] += shift_x
        place[_Y] += shift_y
        _turn_to(place, place[_ANGLE] + turn / law[_GYRATION])
        has_moved, is_at_rest = True, False
    return has_moved


@_compiled
def _turn_to(place: Floats, angle: float) -> None:
    place[_ANGLE], place[_COSINE], place[_SINE] = angle, math.cos(angle), math.sin(angle)


@keeping(_SIGNATURE)
def push(poses: Floats32, outlines: Floats32, centres: Floats32, paths: Floats32, law: Floats, moved: Floats32) -> None:
    """Where discs push K shapes in each of B worlds in T frames.

    poses [B, K, 3] before the first frame; outlines [B, K, V, 2] and centres of turning [B, K, 2] in the frames of the
    shapes; paths [B, T, D, 1 + substeps + 1, 2] of the discs, one after the other in every frame; law [8]: reach,
    gyration, slop, yielding, walls; moved [B, T, K, 3]: the poses after each frame, to be filled in.
    """
    edges = new_edges(outlines.shape[2])
    contacts, place = np.empty((_MOST_CONTACTS, 5)), np.empty(5)
    for row in range(poses.shape[0]):
        for shape in range(poses.shape[1]):
            middle_x, middle_y = float(centres[row, shape, 0]), float(centres[row, shape, 1])
            count, radius = measure(outlines[row, shape], middle_x, middle_y, edges)
            x, y, angle = poses[row, shape, 0], poses[row, shape, 1], poses[row, shape, 2]
            for frame in range(paths.shape[1]):
                # Between frames a pose is float32, so that frames together come out as one by one.
                _turn_to(place, float(angle))
                place[_X] = x + middle_x * place[_COSINE] - middle_y * place[_SINE]
                place[_Y] = y + middle_y * place[_COSINE] + middle_x * place[_SINE]
                has_moved = False
                for disc in range(paths.shape[2]):
                    has_moved |= _sweep(paths[row, frame, disc], place, edges, count, radius, contacts, law)
                if has_moved:
                    x = np.float32(place[_X] - middle_x * place[_COSINE] + middle_y * place[_SINE])
                    y = np.float32(place[_Y] - middle_y * place[_COSINE] - middle_x * place[_SINE])
                    angle = np.float32(place[_ANGLE])
                moved[row, frame, shape, 0] = x
                moved[row, frame, shape, 1] = y
                moved[row, frame, shape, 2] = angle
