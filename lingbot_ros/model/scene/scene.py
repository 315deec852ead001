"""One world that a camera explores: what it remembers, and how the next frame comes of it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world, turned
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.doors import LIMIT as DOORS
from lingbot_ros.model.scene.doors import Bearings, Door, DoorChooser, new_door, opened, remembered_walls
from lingbot_ros.model.scene.events import Event, shaded
from lingbot_ros.model.scene.keyframes import COPIED, PAINTED, REAL, UNKNOWN, Keyframe, Keyframes
from lingbot_ros.model.scene.layout import Layout
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.passage import is_blocked, meets
from lingbot_ros.model.scene.render import Renderer, Rendering, View
from lingbot_ros.model.scene.select import select, uncovered_share
from lingbot_ros.model.scene.surfaces import NONE, Upright, find_tilt, inner
from lingbot_ros.model.scene.thing import Place, passes, place_ahead, with_thing
from lingbot_ros.model.scene.tiles import Tiles

HOLES = 0.06
"""A view of which a larger share is unknown is painted and remembered; smaller holes are filled and forgotten."""
NEWS = 0.03
"""A real image is remembered when a larger share of it was not seen before."""
AHEAD_FRAMES = 8
LOOKS_RAD = (0.0, 0.7, -0.7)
"""Where the painter looks at the pose that will be reached in so many frames."""
TILT_DEG = 4.0
"""A first image that is tilted further is refused. Level ones of 32 validation houses were read as up to 1.7."""
_CHECK_EVERY = 4
_NEAR_PIXELS = 60
"""So many pixels of a surface that is too near stop a camera."""
_MAGNIFIED = 1.0
"""Painted surfaces that fill more pixels than they were painted with, along a side, are textured anew."""
_MUCH = 0.05
"""A view with a larger share of painted pixels has those that lie in planes of the room drawn anew."""


Imagining: TypeAlias = "Generator[Tensor, Floats, Outcome]"
"""A frame in the making: yields questions for the network [1, 8, H, W], is sent disparities [H, W]."""


@dataclass(frozen=True)
class Shares:
    """Of a frame's pixels: remembered from real images, painted, and filled in for want of either; they add up to 1."""

    seen: float
    painted: float
    unknown: float


@dataclass(frozen=True)
class Outcome:
    """A frame uint8 [H, W, 3], where its camera is in the scene, and what committing it adds to the memory.

    view: what was remembered of it, before small holes were filled.
    origin: where the first image was taken, in the axes of the poses that drive the scene.
    place: of the thing that an event put into the scene. doors: that were painted into walls that nobody had seen.
    """

    frame: NDArray[np.uint8]
    pose: Pose
    origin: Pose
    blocked: bool
    shares: Shares
    added: tuple[Keyframe, ...]
    looks: NDArray[np.float64]
    view: View
    upright: Upright
    place: Place | None
    doors: tuple[Door, ...]

    @property
    def origins(self) -> NDArray[np.uint8]:
        """Where each pixel of the frame comes from [H, W], see `keyframes`."""
        return np.full_like(self.view.origin, REAL) if self.shares.seen == 1 else self.view.origin


class Scene:
    """State in fixed arrays. `imagine` and `observe` change nothing; `commit` makes an outcome the past."""

    def __init__(self, config: SceneConfig, network: DepthNetwork, lens: Pinhole) -> None:
        self.config, self.lens = config, lens
        self.memory, self.tiles = Keyframes(lens, config.keyframes), Tiles()
        self.upright = Upright(float("nan"), float("nan"), 0.0)
        self.pose = np.eye(4)
        self.origin: Pose | None = None
        self.place: Place | None = None
        self.doors: tuple[Door, ...] = ()
        self.looks = np.zeros((len(LOOKS_RAD), 4, 4))
        self.looks_left = 0
        self.frames = 0
        self._painter, self._renderer = Painter(network, lens), Renderer(lens)

    @property
    def painter(self) -> Painter:
        """Who answers the questions of `imagining`."""
        return self._painter

    def begin(self, image: NDArray[np.uint8]) -> None:
        """Remember the first image, uint8 [H, W, 3], taken at the identity pose by a camera that is held level.

        Raises InputError for one that shows that it was not.
        """
        first, upright = self._painter.measured(image, np.eye(4), None)
        tilt = find_tilt(self.lens.rays() / self._painter.disparity_of(image)[..., None])
        if tilt is not None and max(np.abs(tilt)) > TILT_DEG:
            up, right = (round(angle) for angle in tilt)
            taken = f"one that looks about {abs(up)} degrees {'up' if up > 0 else 'down'}"
            taken += f" and leans {abs(right)} degrees to the {'right' if right > 0 else 'left'}" if right else ""
            raise InputError("image", taken, "give one that was taken by a level camera; it may pitch later")
        self.upright = upright
        self._remember_real(first)

    def imagine(self, requested: Pose, event: Event | None = None, seed: int = 0) -> Outcome:
        """The frame from `requested` under an event, or from where the camera is while its way there is blocked.

        The first pose of all is where the first image was taken. What is remembered knows nothing of events. `seed`
        decides where doors are that nobody saw.
        """
        return imagine_together([self.imagining(requested, event, seed)], self._painter)[0]

    def imagining(self, requested: Pose, event: Event | None = None, seed: int = 0) -> "Imagining":
        """`imagine`, which stops wherever it has a question for the network and goes on with the answer."""
        origin = requested if self.origin is None else self.origin
        pose, blocked = self._reached(np.linalg.inv(origin) @ requested, event)
        added: list[Keyframe] = []
        doors, rng = list(self.doors), np.random.default_rng([seed, self.frames])
        looks = self.looks[len(self.looks) - self.looks_left :]
        if len(looks):
            painted = yield from self._paint(looks[0], doors, rng)
            added, looks = [painted] if painted else [], looks[1:]
        elif self.frames % _CHECK_EVERY == 0:
            looks = self._looks(pose)
        rendering = self._rendering(pose, added)
        if not blocked and self._is_too_near(rendering.view, pose):
            pose[:3, 3], blocked = self.pose[:3, 3], True
            rendering = self._rendering(pose, added)
        if (rendering.view.origin == UNKNOWN).mean() > HOLES:
            guess = yield self._painter.question(rendering.view)
            chooser = self._chooser(pose, doors, rng)
            added.append(self._painter.painted(rendering.view, guess, pose, self.tiles, self.upright, chooser))
            rendering = self._rendering(pose, added)
        view = self._renderer.without_gaps(rendering)
        frame, place = self._displayed(view, pose, event or Event())
        shares, remembered = _shares(view), tuple(doors[-DOORS:])
        return Outcome(frame, pose, origin, blocked, shares, tuple(added), looks, view, self.upright, place, remembered)

    def observe(self, image: NDArray[np.uint8], requested: Pose) -> Outcome:
        """A real frame in place of an imagined one; where it shows something new it is remembered."""
        origin = requested if self.origin is None else self.origin
        pose = np.linalg.inv(origin) @ requested
        view = self._renderer.render(self._sources(pose, []), pose)
        added: tuple[Keyframe, ...] = ()
        upright = self.upright
        if (view.origin != REAL).mean() > NEWS:
            seen, upright = self._painter.measured(image, pose, upright)
            added = (seen,)
        shares, nowhere = Shares(1.0, 0.0, 0.0), np.zeros((0, 4, 4))
        return Outcome(image, pose, origin, False, shares, added, nowhere, view, upright, self.place, self.doors)

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the past."""
        self.upright = outcome.upright
        for frame in outcome.added:
            if frame.is_real:
                self._remember_real(frame)
            else:
                self.memory.record(frame)
        self.pose, self.origin, self.place = outcome.pose, outcome.origin, outcome.place
        self.doors = outcome.doors
        self.looks_left = len(outcome.looks)
        if self.looks_left:
            self.looks[len(self.looks) - self.looks_left :] = outcome.looks
        self.frames += 1

    def state(self) -> dict[str, Tensor]:
        """All of it by name."""
        numbers = torch.tensor([self.looks_left, self.frames, int(self.origin is not None)])
        upright = torch.tensor(
            [self.upright.floor_y, self.upright.ceiling_y, self.upright.yaw_rad], dtype=torch.float64
        )
        poses = np.stack([self.pose, np.eye(4) if self.origin is None else self.origin, *self.looks])
        return {
            **{f"memory_{name}": tensor for name, tensor in self.memory.state().items()},
            **{f"tiles_{name}": tensor for name, tensor in self.tiles.state().items()},
            "poses": torch.from_numpy(poses),
            "numbers": numbers,
            "place": _numbers_of(self.place),
            "doors": _rows_of(self.doors),
            "upright_known": torch.isfinite(upright),
            "upright": torch.nan_to_num(upright),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`; copies. Raises ValueError or KeyError for what is no state of such a scene."""
        for prefix, part in (("memory_", self.memory), ("tiles_", self.tiles)):
            part.load_state({name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)})
        poses = state["poses"].numpy().copy()
        if poses.shape != (2 + len(LOOKS_RAD), 4, 4):
            raise ValueError(f"poses is {list(poses.shape)}")
        self.looks_left, self.frames, has_origin = (int(number) for number in state["numbers"])
        self.pose, self.origin, self.looks = poses[0], poses[1] if has_origin else None, poses[2:]
        if not 0 <= self.looks_left <= len(LOOKS_RAD):
            raise ValueError(f"looks_left is {self.looks_left}")
        if np.abs(np.linalg.det(poses[:2]) - 1).max() > 0.1:
            raise ValueError("a pose is no rigid transform")
        values = [
            float(v) if k else float("nan") for v, k in zip(state["upright"], state["upright_known"], strict=True)
        ]
        self.upright = Upright(values[0], values[1], values[2])
        there, x, z, turn = state["place"].tolist()
        self.place = Place(x, z, turn) if there else None
        rows = state.get("doors", _rows_of(())).numpy()
        if rows.shape != _rows_of(()).shape:
            raise ValueError(f"doors is {list(rows.shape)}")
        if not np.isin(rows[:, 1], (0, 2)).all():
            raise ValueError("a door is in no wall")
        self.doors = tuple(Door.of_row(row[1:]) for row in rows if row[0])

    def _remember_real(self, frame: Keyframe) -> None:
        self.memory.correct(frame)
        self.memory.record(frame)
        self._painter.write_tiles(self.tiles, frame, self.upright)

    def _reached(self, wanted: Pose, event: Event | None) -> tuple[Pose, bool]:
        pose = wanted.copy()
        floor_y, _ = self.upright.heights(self.pose[1, 3])
        blocked = is_blocked(self.memory, self.pose[:3, 3], pose[:3, 3], self.config.radius_m, floor_y)
        if event is not None and event.thing != "none" and self.place is not None:
            blocked |= passes(self.place, self.pose, pose, self.config.radius_m)
        if blocked:
            pose[:3, 3] = self.pose[:3, 3]
            return pose, True
        return pose, False

    def _is_too_near(self, view: View, pose: Pose) -> bool:
        """Whether the view shows that the move towards `pose` ended too near to what is ahead."""
        points = to_world(self.lens.rays() / np.maximum(view.disparity, 1e-3)[..., None], pose)
        floor_y, _ = self.upright.heights(pose[1, 3])
        return meets(points[view.known], self.pose[:3, 3], pose[:3, 3], self.config.radius_m, floor_y, _NEAR_PIXELS)

    def _sources(self, pose: Pose, added: list[Keyframe]) -> list[Keyframe]:
        return [*(self.memory.row(i) for i in select(self.memory, pose, self.config.sources)), *added]

    def _rendering(self, pose: Pose, added: list[Keyframe]) -> Rendering:
        return self._renderer.rendering(self._sources(pose, added), pose)

    def _chooser(self, pose: Pose, doors: list[Door], rng: np.random.Generator) -> DoorChooser | None:
        """The doors of a view that is painted at `pose`: `doors`, to which one may be added."""
        if not self.config.doors:
            return None

        def choose(layout: Layout, bearings: Bearings) -> tuple[Door, ...]:
            walls = remembered_walls(self.memory, pose, self.upright)
            done, _ = opened(layout, bearings, tuple(doors))
            door = new_door(done, bearings, walls, tuple(doors), rng)
            if door is not None:
                doors.append(door)
            return tuple(doors)

        return choose

    def _paint(
        self, pose: Pose, doors: list[Door], rng: np.random.Generator
    ) -> Generator[Tensor, Floats, Keyframe | None]:
        """A painted view at `pose`, unless there is little to paint."""
        view = self._renderer.render(self._sources(pose, []), pose)
        if (view.origin == UNKNOWN).mean() <= HOLES:
            return None
        guess = yield self._painter.question(view)
        chooser = self._chooser(pose, doors, rng)
        return self._painter.painted(view, guess, pose, self.tiles, self.upright, chooser)

    def _looks(self, pose: Pose) -> NDArray[np.float64]:
        """Where to paint: round the pose that this motion reaches soon, if something there is unknown."""
        ahead = _extrapolated(self.pose, pose, AHEAD_FRAMES)
        floor_y, _ = self.upright.heights(pose[1, 3])
        if is_blocked(self.memory, pose[:3, 3], ahead[:3, 3], self.config.radius_m, floor_y):
            ahead[:3, 3] = pose[:3, 3]
        views = np.stack([turned(ahead, look) for look in LOOKS_RAD])
        if uncovered_share(self.memory, ahead) > HOLES:
            return views
        return views[:0]

    def _displayed(self, view: View, pose: Pose, event: Event) -> tuple[NDArray[np.uint8], Place | None]:
        """The view's colours under an event, and where its thing is: a new one appears ahead."""
        colour, surface, disparity = self._completed(view, pose)
        place = self.place
        if event.thing == "none":
            place = None
        else:
            middle = np.s_[self.lens.height // 2 :, self.lens.width // 4 : -self.lens.width // 4]
            place = place or place_ahead(pose, float(1 / np.percentile(disparity[middle], 75)))
            floor_y, _ = self.upright.heights(pose[1, 3])
            colour, disparity, shows = with_thing(event, place, floor_y, self.lens.rays(), pose, colour, disparity)
            surface = np.where(shows, NONE, surface).astype(np.uint8)
        return (colour if event.changes_nothing else shaded(event, colour, disparity, surface)), place

    def _completed(self, view: View, pose: Pose) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats]:
        """Colours, surfaces and disparity: painted surfaces at this view's resolution, small holes filled."""
        close = ((view.origin == PAINTED) | (view.origin == COPIED)) & (view.magnified > _MAGNIFIED)
        close &= inner(view.surface, 3)
        if (view.origin == PAINTED).mean() > _MUCH:
            flat, view = self._painter.flattened(view, pose, self.upright)
            close |= flat
        colour, surface, disparity = view.colour, view.surface, np.maximum(view.disparity, 0.05)
        if (view.origin == UNKNOWN).any():
            patched = self._painter.patched(view, pose, self.tiles, self.upright)
            colour, surface, disparity = patched.colour, patched.surface, patched.disparity
        if close.any():
            points = to_world(self.lens.rays() / disparity[..., None], pose)
            colour = self._painter.sharpened(colour, close, surface, disparity, points, pose, self.tiles, self.upright)
        return colour, surface, disparity


def imagine_together(frames: "Sequence[Imagining]", painter: Painter) -> "list[Outcome]":
    """Finish frames in the making side by side: all questions that are open at a time go through one forward."""
    outcomes: dict[int, Outcome] = {}
    answers: dict[int, Floats | None] = dict.fromkeys(range(len(frames)))
    while answers:
        questions: dict[int, Tensor] = {}
        for row, answer in answers.items():
            try:
                questions[row] = next(frames[row]) if answer is None else frames[row].send(answer)
            except StopIteration as done:
                outcomes[row] = done.value
        found = painter.answers(torch.cat(list(questions.values()))) if questions else ()
        answers = dict(zip(questions, found, strict=True))
    return [outcomes[row] for row in range(len(frames))]


def _extrapolated(before: Pose, now: Pose, frames: int) -> Pose:
    """The pose after `frames` more steps like the last."""
    step = np.linalg.inv(before) @ now
    result = now @ np.linalg.matrix_power(step, frames)
    u, _, v = np.linalg.svd(result[:3, :3])
    result[:3, :3] = u @ v
    return np.asarray(result)


def _shares(view: View) -> Shares:
    seen, unknown = float((view.origin == REAL).mean()), float((view.origin == UNKNOWN).mean())
    return Shares(seen, max(0.0, 1 - seen - unknown), unknown)


def _numbers_of(place: Place | None) -> Tensor:
    values = (0.0, 0.0, 0.0, 0.0) if place is None else (1.0, place.x, place.z, place.turn_rad)
    return torch.tensor(values, dtype=torch.float64)


def _rows_of(doors: tuple[Door, ...]) -> Tensor:
    """One row for each: 1 and its numbers, then rows of zeros."""
    rows = np.zeros((DOORS, 10))
    for index, door in enumerate(doors):
        rows[index] = 1.0, *door.row
    return torch.from_numpy(rows)
