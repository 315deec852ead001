"""One world that a camera explores: what it remembers, and how the next frame comes of it."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.camera import Floats, Pinhole, Pose, to_world, turned
from lingbot_ros.model.scene.config import SceneConfig
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.events import Event, shaded
from lingbot_ros.model.scene.frame import REAL, UNKNOWN, Drawn
from lingbot_ros.model.scene.house import House
from lingbot_ros.model.scene.keyframes import Keyframe, Keyframes
from lingbot_ros.model.scene.painter import Painter
from lingbot_ros.model.scene.passage import is_blocked, meets
from lingbot_ros.model.scene.render import Renderer, View
from lingbot_ros.model.scene.room_planes import LevelView, RoomPlanes
from lingbot_ros.model.scene.select import select
from lingbot_ros.model.scene.surfaces import NONE, Upright, find_tilt
from lingbot_ros.model.scene.thing import Place, passes, place_ahead, with_thing
from lingbot_ros.model.scene.tiles import Tiles

HOLES = 0.06
"""Where a larger share of a view is unknown the network is asked; smaller holes are filled and forgotten."""
NEWS = 0.03
"""A real image is remembered when a larger share of it was not seen before."""
AHEAD_FRAMES = 8
LOOKS_RAD = (0.0, 0.7, -0.7)
"""Where the network is asked for rooms, at the pose that will be reached in so many frames."""
TILT_DEG = 4.0
"""A first image that is tilted further is refused. Level ones of 32 validation houses were read as up to 1.7."""
_CHECK_EVERY = 4
_NEAR_PIXELS = 60
"""So many pixels of a surface that is too near stop a camera."""


Completing: TypeAlias = Generator[Tensor, Floats, tuple[House, RoomPlanes]]
"""A view in the making: like `Imagining`, but comes to a house and what the view shows of it."""
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

    origin: where the first image was taken, in the axes of the poses that drive the scene.
    added: a real view to remember. looks: where rooms are yet to be asked for. drawn: the frame without its event.
    place: of the thing that an event put into the scene.
    """

    frame: NDArray[np.uint8]
    pose: Pose
    origin: Pose
    blocked: bool
    shares: Shares
    added: Keyframe | None
    looks: NDArray[np.float64]
    drawn: Drawn
    upright: Upright
    place: Place | None
    house: House


class Scene:
    """State in fixed arrays. `imagine` and `observe` change nothing; `commit` makes an outcome the past."""

    def __init__(self, config: SceneConfig, network: DepthNetwork, lens: Pinhole) -> None:
        self.config, self.lens = config, lens
        self.memory, self.tiles, self.house = Keyframes(lens, config.keyframes), Tiles(), House()
        self.upright = Upright(float("nan"), float("nan"), 0.0)
        self.pose = np.eye(4)
        self.origin: Pose | None = None
        self.place: Place | None = None
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
        self._remember(first)
        self.tiles.settle()  # here rather than in the first frame

    def imagine(self, requested: Pose, event: Event | None = None, seed: int = 0) -> Outcome:
        """The frame from `requested` under an event, or from where the camera is while its way there is blocked.

        The first pose of all is where the first image was taken. What is remembered knows nothing of events. `seed`
        decides where doors and rooms are that nobody saw.
        """
        return imagine_together([self.imagining(requested, event, seed)], self._painter)[0]

    def imagining(self, requested: Pose, event: Event | None = None, seed: int = 0) -> "Imagining":
        """`imagine`, which stops wherever it has a question for the network and goes on with the answer."""
        origin = requested if self.origin is None else self.origin
        pose, blocked = self._reached(np.linalg.inv(origin) @ requested, event)
        house, rng = self.house, np.random.default_rng([seed, self.frames])
        looks = self.looks[len(self.looks) - self.looks_left :]
        if len(looks):
            house, _ = yield from self._completed(house, looks[0], self._real(looks[0]), rng)
            looks = looks[1:]
        elif self.frames % _CHECK_EVERY == 0:
            looks = self._looks(pose)
        view = self._real(pose)
        if not blocked and self._is_too_near(view, pose):
            pose[:3, 3], blocked = self.pose[:3, 3], True
            view = self._real(pose)
        house, planes = yield from self._completed(house, pose, view, rng)
        drawn = self._painter.drawn(view, planes, pose, self.tiles, self.upright)
        frame, place = self._displayed(drawn, pose, event or Event())
        shares = _shares(drawn.origin)
        return Outcome(frame, pose, origin, blocked, shares, None, looks, drawn, self.upright, place, house)

    def observe(self, image: NDArray[np.uint8], requested: Pose) -> Outcome:
        """A real frame in place of an imagined one; where it shows something new it is remembered."""
        origin = requested if self.origin is None else self.origin
        pose = np.linalg.inv(origin) @ requested
        view = self._real(pose)
        added, upright = None, self.upright
        if (~view.known).mean() > NEWS:
            added, upright = self._painter.measured(image, pose, upright)
        shares, nowhere = Shares(1.0, 0.0, 0.0), np.zeros((0, 4, 4))
        drawn = Drawn(image, view.disparity, view.surface, np.full(image.shape[:2], REAL, np.uint8))
        return Outcome(image, pose, origin, False, shares, added, nowhere, drawn, upright, self.place, self.house)

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the past."""
        self.upright = outcome.upright
        self.house = outcome.house
        if outcome.added is not None:
            self._remember(outcome.added)
        self.pose, self.origin, self.place = outcome.pose, outcome.origin, outcome.place
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
            **self.house.state(),
            "poses": torch.from_numpy(poses),
            "numbers": numbers,
            "place": _numbers_of(self.place),
            "upright_known": torch.isfinite(upright),
            "upright": torch.nan_to_num(upright),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """The reverse of `state`; copies. Raises ValueError or KeyError for what is no state of such a scene."""
        for prefix, part in (("memory_", self.memory), ("tiles_", self.tiles)):
            part.load_state({name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)})
        self.house = House.of_state(state)
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

    def _remember(self, frame: Keyframe) -> None:
        self.memory.record(frame)
        self._painter.write_tiles(self.tiles, frame, self.upright)
        plan = self._painter.surveyed(frame, self.house.plan, self.upright)
        self.house = replace(self.house, plan=plan)

    def _reached(self, wanted: Pose, event: Event | None) -> tuple[Pose, bool]:
        pose = wanted.copy()
        floor_y, _ = self.upright.heights(self.pose[1, 3])
        blocked = is_blocked(self.memory, self.pose[:3, 3], pose[:3, 3], self.config.radius_m, floor_y)
        blocked |= self._meets_wall(pose)
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

    def _meets_wall(self, pose: Pose) -> bool:
        eyes = self.upright.along(np.stack((self.pose[:3, 3], pose[:3, 3])))
        return self.house.plan.stops(eyes[0], eyes[1], self.config.radius_m)

    def _real(self, pose: Pose) -> View:
        """What real images show from `pose`."""
        sources = [self.memory.row(i) for i in select(self.memory, pose, self.config.sources)]
        return self._renderer.without_gaps(self._renderer.rendering(sources, pose))

    def _completed(self, house: House, pose: Pose, view: View, rng: np.random.Generator) -> Completing:
        """The house with what the view from `pose` shows where nothing real is known, and the room as it shows it."""
        level = LevelView(self.lens, pose, self.upright)
        house, planes, guesses = house.with_rooms(level.bearings, rng).seen_from(level, view.known)
        if (~view.known & ~planes.known & guesses).mean() > HOLES:
            drawn = self._painter.drawn(view, planes, pose, self.tiles, self.upright)
            guess = yield self._painter.question(drawn)
            house = house.with_guess(level, view.known, guess, self.config.doors, rng)
            house, planes, _ = house.seen_from(level, view.known)
        return house, planes

    def _looks(self, pose: Pose) -> NDArray[np.float64]:
        """Where to ask for rooms: round the pose that this motion reaches soon, where something there is unknown."""
        ahead = _extrapolated(self.pose, pose, AHEAD_FRAMES)
        floor_y, _ = self.upright.heights(pose[1, 3])
        blocked = is_blocked(self.memory, pose[:3, 3], ahead[:3, 3], self.config.radius_m, floor_y)
        if blocked or self._meets_wall(ahead):
            ahead[:3, 3] = pose[:3, 3]
        views = np.stack([turned(ahead, look) for look in LOOKS_RAD])
        return views[[self._is_new(view) for view in views]]

    def _is_new(self, pose: Pose) -> bool:
        room = LevelView(self.lens, pose, self.upright)
        sight = self.house.plan.sight(room.bearings.eye, room.bearings.rays)
        return float(1 - sight.known[room.span].mean()) > HOLES

    def _displayed(self, drawn: Drawn, pose: Pose, event: Event) -> tuple[NDArray[np.uint8], Place | None]:
        """The frame's colours under an event, and where its thing is: a new one appears ahead."""
        colour, surface, disparity = drawn.colour, drawn.surface, drawn.disparity
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


def _shares(origin: NDArray[np.uint8]) -> Shares:
    seen, unknown = float((origin == REAL).mean()), float((origin == UNKNOWN).mean())
    return Shares(seen, max(0.0, 1 - seen - unknown), unknown)


def _numbers_of(place: Place | None) -> Tensor:
    values = (0.0, 0.0, 0.0, 0.0) if place is None else (1.0, place.x, place.z, place.turn_rad)
    return torch.tensor(values, dtype=torch.float64)
