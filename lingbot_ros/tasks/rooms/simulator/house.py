"""A house as a value: rooms, doors, objects, materials and the camera that drives through it. Nothing is rendered here.

Axes are MiniWorld's, in metres: x and z on the floor, y up. Corners of rooms lie on odd metres, so that textures, whose
periods are 1 and 2 m, have one phase in the whole house.
"""

from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import InputError

CEILING_M = 2.74
DOOR_DEPTH_M = 2.0
SPLIT_DIGITS: dict[str, tuple[int, ...]] = {"train": (0, 1, 2, 3, 4, 5, 6, 7), "validation": (8,), "test": (9,)}
THEMES: tuple[tuple[str, str, str], ...] = (
    ("brick_wall", "wood_planks", "ceiling_tiles"),
    ("airduct_grate", "rock", "ceiling_tile_noborder"),
    ("concrete", "floor_tiles_bw", "ceiling_tiles"),
    ("cinder_blocks", "asphalt", "concrete"),
    ("marble", "wood", "ceiling_tile_noborder"),
    ("stucco", "wood_planks", "concrete"),
    ("wood_planks", "marble", "drywall"),
    ("metal_grill", "floor_tiles_bw", "concrete"),
)
"""Textures of wall, floor and ceiling that go together; a house has one theme."""
COLOURS = ("blue", "green", "grey", "purple", "red", "yellow")
_SIDES_M = (4, 6, 8)
_SEEDS_PER_BASE = 10_000_000


@dataclass(frozen=True)
class Room:
    """A rectangle of floor, in metres."""

    min_x: float
    max_x: float
    min_z: float
    max_z: float

    def holds(self, x: float, z: float, margin: float) -> bool:
        """Whether (x, z) is inside and at least `margin` metres from the walls."""
        return self.min_x + margin <= x <= self.max_x - margin and self.min_z + margin <= z <= self.max_z - margin


@dataclass(frozen=True)
class Door:
    """A passage between the rooms numbered `first` and `second`; `along_x`: one walks through it along x."""

    first: int
    second: int
    along_x: bool
    passage: Room
    height_m: float


@dataclass(frozen=True)
class Thing:
    """A box or a ball on the floor; `size_m` is its edge or diameter, `turn_rad` about the vertical."""

    kind: str
    colour: str
    size_m: float
    x: float
    z: float
    turn_rad: float

    @property
    def radius_m(self) -> float:
        """Of the circle on the floor that holds it."""
        return self.size_m * (0.71 if self.kind == "box" else 0.5)


@dataclass(frozen=True)
class Camera:
    """Height above the floor, vertical field of view, and how far the drive tilts it up and down."""

    height_m: float = 1.5
    fov_y_deg: float = 60.0
    tilt_deg: float = 0.0


@dataclass(frozen=True)
class House:
    """All that decides what is seen from where."""

    seed: int
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    things: tuple[Thing, ...]
    theme: int
    camera: Camera

    def is_free(self, x: float, z: float, radius_m: float) -> bool:
        """Whether a robot of that radius can stand at (x, z)."""
        if any(np.hypot(x - t.x, z - t.z) < radius_m + t.radius_m for t in self.things):
            return False
        if any(room.holds(x, z, radius_m) for room in self.rooms):
            return True
        return any(_clear_passage(door).holds(x, z, radius_m) for door in self.doors)


def house_seed(split: str, base_seed: int, index: int) -> int:
    """The seed of house `index` of a split. Two splits, and two base seeds, share no house."""
    if split not in SPLIT_DIGITS:
        raise InputError("split", split, f"choose one of {', '.join(SPLIT_DIGITS)}")
    if base_seed < 0 or not 0 <= index < 1_000_000:
        raise InputError("seed", base_seed, "give a base seed of 0 or more and at most 1000000 houses")
    digits = SPLIT_DIGITS[split]
    return base_seed * _SEEDS_PER_BASE + (index // len(digits)) * 10 + digits[index % len(digits)]


def draw_house(seed: int, varied_camera: bool = False) -> House:
    """The house of `seed`; with `varied_camera` every second house has another height, lens and tilt of the camera."""
    rng = np.random.default_rng([seed, 1])
    columns, rows = (3, 2) if rng.random() < 0.35 else (2, 2)
    rooms = _draw_rooms(rng, columns, rows)
    doors = _draw_doors(rng, rooms, columns, rows)
    things = _draw_things(rng, rooms, doors)
    theme = int(rng.integers(len(THEMES)))
    camera = Camera()
    if varied_camera and rng.random() < 0.5:
        camera = Camera(float(rng.uniform(1.3, 1.7)), float(rng.uniform(55, 75)), float(rng.uniform(0, 10)))
    return House(seed, rooms, doors, things, theme, camera)


def _draw_rooms(rng: np.random.Generator, columns: int, rows: int) -> tuple[Room, ...]:
    lefts, depths = _spans(rng, columns), _spans(rng, rows)
    return tuple(Room(*x, *z) for z in depths for x in lefts)


def _spans(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    spans, start = [], 1.0
    for _ in range(count):
        side = float(rng.choice(_SIDES_M))
        spans.append((start, start + side))
        start += side + DOOR_DEPTH_M
    return spans


def _draw_doors(rng: np.random.Generator, rooms: tuple[Room, ...], columns: int, rows: int) -> tuple[Door, ...]:
    """Enough doors to reach every room, and some of the others."""
    pairs = [(i, i + 1) for i in range(columns * rows) if (i + 1) % columns]
    pairs += [(i, i + columns) for i in range(columns * (rows - 1))]
    group = list(range(columns * rows))
    doors = []
    for first, second in (pairs[i] for i in rng.permutation(len(pairs))):
        joins = group[first] != group[second]
        if joins or rng.random() < 0.6:
            doors.append(_draw_door(rng, rooms, first, second))
            old, new = group[second], group[first]
            group = [new if g == old else g for g in group]
    return tuple(doors)


def _draw_door(rng: np.random.Generator, rooms: tuple[Room, ...], first: int, second: int) -> Door:
    a, b = rooms[first], rooms[second]
    along_x = b.min_x > a.max_x
    width = float(rng.choice((1.5, 2.0, 2.5)))
    low, high = (a.min_z, a.max_z) if along_x else (a.min_x, a.max_x)
    start = float(rng.uniform(low + 0.3, high - 0.3 - width))
    height = float(rng.choice((2.0, 2.2, 2.4)))
    if along_x:
        return Door(first, second, True, Room(a.max_x, b.min_x, start, start + width), height)
    return Door(first, second, False, Room(start, start + width, a.max_z, b.min_z), height)


def _draw_things(rng: np.random.Generator, rooms: tuple[Room, ...], doors: tuple[Door, ...]) -> tuple[Thing, ...]:
    """One to three in a room, apart from each other and away from doors."""
    things: list[Thing] = []
    for room in rooms:
        for _ in range(int(rng.integers(1, 4))):
            kind = "box" if rng.random() < 0.6 else "ball"
            thing = Thing(
                kind,
                str(rng.choice(COLOURS)),
                float(rng.uniform(0.5, 0.9)),
                float(rng.uniform(room.min_x + 0.7, room.max_x - 0.7)),
                float(rng.uniform(room.min_z + 0.7, room.max_z - 0.7)),
                float(rng.uniform(-np.pi, np.pi)),
            )
            apart = all(np.hypot(thing.x - t.x, thing.z - t.z) > 1.6 for t in things)
            if apart and not any(_grown(d.passage, 1.4).holds(thing.x, thing.z, 0) for d in doors):
                things.append(thing)
    return tuple(things)


def _grown(room: Room, by_m: float) -> Room:
    return Room(room.min_x - by_m, room.max_x + by_m, room.min_z - by_m, room.max_z + by_m)


def _clear_passage(door: Door) -> Room:
    """The passage, prolonged into both rooms, where a robot that walks through it may be."""
    p, more = door.passage, 1.0
    if door.along_x:
        return Room(p.min_x - more, p.max_x + more, p.min_z, p.max_z)
    return Room(p.min_x, p.max_x, p.min_z - more, p.max_z + more)
