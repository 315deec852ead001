"""The house as it is known and imagined: a floor plan and the doors in it, and how views that nobody saw complete it.

Nothing changes a house: what is added makes another. A view is completed in three steps: rooms are built behind doors
that it sees through; what known walls close is closed; and where neither tells, the depth network is asked.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.model.scene.bearings import Bearings
from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.doors import LIMIT, Door, lintel_of, new_door
from lingbot_ros.model.scene.enclosure import Enclosure, Room, enclose
from lingbot_ros.model.scene.floor_plan import Box, FloorPlan, Sight
from lingbot_ros.model.scene.layout import Layout
from lingbot_ros.model.scene.new_rooms import build_room
from lingbot_ros.model.scene.room_planes import LevelView, RoomPlanes

_ROOMS_AT_ONCE = 4
"""Rooms behind rooms that one view may build."""
_PLAN = "plan_"


@dataclass(frozen=True)
class House:
    """Its plan, and the doors that nobody saw, the last ones last."""

    plan: FloorPlan = field(default_factory=FloorPlan.empty)
    doors: tuple[Door, ...] = ()

    def seen_from(self, view: LevelView, real: NDArray[np.bool_]) -> tuple["House", RoomPlanes, NDArray[np.bool_]]:
        """With the sides of the room that are known elsewhere; the room as the view shows it; which pixels are guesses.

        real [H, W]: pixels that show something real; nothing is painted before it. Guesses [H, W] are where a side that
        nobody knows closes the room.
        """
        house, sight, layout, guessed = self._closed(view, real)
        return house, view.planes(layout, sight, house.doors), guessed[view.index]

    def with_rooms(self, bearings: Bearings, rng: np.random.Generator) -> "House":
        """With the rooms behind those doors that a view sees through."""
        house = self
        for _ in range(_ROOMS_AT_ONCE):
            if all(door.built for door in house.doors):
                break
            disparity = house.plan.sight(bearings.eye, bearings.rays).disparity
            seen = [d for d in house.doors if not d.built and lintel_of(d, disparity, bearings).near.any()]
            if not seen:
                break
            house = house._with_room(seen[0], bearings.eye, Room.around(house.plan, bearings.eye).box, rng)
        return house

    def with_guess(
        self,
        view: LevelView,
        real: NDArray[np.bool_],
        guess: Floats,
        may_have_door: bool,
        rng: np.random.Generator,
    ) -> "House":
        """With the walls of a view where the network's disparities `guess` [H, W] put them; one may get a door."""
        eye, rays = view.bearings.eye, view.bearings.rays
        profile = view.profile(guess, np.ones(guess.shape, bool))
        house, found = self, enclose(view.bearings, self.plan.sight(eye, rays), self.plan, profile)
        door = new_door(self.plan, eye, found.box, found.sides, self.doors, rng) if may_have_door else None
        if door is not None:
            house = self._with_room(door, eye, found.box, rng)
            found = enclose(view.bearings, house.plan.sight(eye, rays), house.plan, profile)
        return house._with_columns(view, found, (found.certain | found.guessed) & ~view.columns_of(real))

    def state(self) -> dict[str, Tensor]:
        """All of it by name. A door is a row: 1 and its numbers; rows of zeros follow."""
        rows = np.zeros((LIMIT, 8))
        for index, door in enumerate(self.doors):
            rows[index] = 1.0, *door.row
        plan = {_PLAN + name: tensor for name, tensor in self.plan.state().items()}
        return {**plan, "doors": torch.from_numpy(rows)}

    @classmethod
    def of_state(cls, state: dict[str, Tensor]) -> "House":
        """The reverse of `state`; copies. Raises ValueError or KeyError for what is no state of a house."""
        rows = state["doors"].numpy()
        if rows.shape != (LIMIT, 8):
            raise ValueError(f"doors is {list(rows.shape)}")
        if not np.isin(rows[:, 1], (0, 2)).all():
            raise ValueError("a door is in no wall")
        plan = {name.removeprefix(_PLAN): tensor for name, tensor in state.items() if name.startswith(_PLAN)}
        return cls(FloorPlan.of_state(plan), tuple(Door.of_row(row[1:]) for row in rows if row[0]))

    def _closed(self, view: LevelView, real: NDArray[np.bool_]) -> tuple["House", Sight, Layout, NDArray[np.bool_]]:
        eye, rays = view.bearings.eye, view.bearings.rays
        sight = self.plan.sight(eye, rays)
        if sight.known[view.span].all():
            return self, sight, Layout(sight.disparity, sight.surface, sight.known), np.zeros(len(rays), bool)
        house, found = self, enclose(view.bearings, sight, self.plan)
        new = found.certain & ~view.columns_of(real)
        if new[view.span].any():
            house = self._with_columns(view, found, new)
            sight = house.plan.sight(eye, rays)
            found = enclose(view.bearings, sight, house.plan)
        return house, sight, found.layout, found.guessed

    def _with_columns(self, view: LevelView, found: Enclosure, new: NDArray[np.bool_]) -> "House":
        return replace(self, plan=self.plan.with_view(view.bearings, found.layout, new, view.span))

    def _with_room(self, door: Door, eye: Floats, taken: Box, rng: np.random.Generator) -> "House":
        """With the room behind a door, that door, and those that lead on."""
        plan, more = build_room(self.plan, door, eye, taken, rng)
        others = tuple(other for other in self.doors if other != door)
        return House(plan, (*others, replace(door, built=True), *more)[-LIMIT:])
