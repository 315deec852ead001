"""A house as a MiniWorld environment. MiniWorld opens a graphics context as it is imported, so that happens late."""

from typing import Any

import numpy as np

from lingbot_ros.tasks.rooms.simulator.house import CEILING_M, THEMES, House


def miniworld_house(house: House, size: int) -> Any:
    """An environment that is in `house`; `enter(house)` leaves it for another. pyglet is already set to headless."""
    from miniworld.entity import Ball, Box  # noqa: PLC0415
    from miniworld.miniworld import MiniWorldEnv  # noqa: PLC0415

    class MiniWorldHouse(MiniWorldEnv):
        """Builds what a `House` says. Its random numbers are not used."""

        def __init__(self, house: House, size: int) -> None:
            self._house = house
            super().__init__(obs_width=size, obs_height=size, window_width=16, window_height=16)
            self._set_camera()

        def enter(self, house: House) -> None:
            """Leave the house and build another."""
            self._house = house
            self.reset(seed=0)
            self._set_camera()

        def _set_camera(self) -> None:
            self.agent.cam_height = self._house.camera.height_m
            self.agent.cam_fov_y = self._house.camera.fov_y_deg
            self.agent.cam_fwd_disp = 0.0

        def _gen_world(self) -> None:
            house = self._house
            wall, floor, ceiling = THEMES[house.theme]
            rooms = [
                self.add_rect_room(
                    min_x=room.min_x,
                    max_x=room.max_x,
                    min_z=room.min_z,
                    max_z=room.max_z,
                    wall_tex=wall,
                    floor_tex=floor,
                    ceil_tex=ceiling,
                    wall_height=CEILING_M,
                )
                for room in house.rooms
            ]
            for door in house.doors:
                p = door.passage
                span = {"min_z": p.min_z, "max_z": p.max_z} if door.along_x else {"min_x": p.min_x, "max_x": p.max_x}
                self.connect_rooms(rooms[door.first], rooms[door.second], max_y=door.height_m, **span)
            for thing in house.things:
                kind = Box if thing.kind == "box" else Ball
                self.place_entity(
                    kind(thing.colour, size=thing.size_m), pos=np.array([thing.x, 0, thing.z]), dir=thing.turn_rad
                )
            self.place_entity(
                self.agent, pos=np.array([house.rooms[0].min_x + 1.0, 0, house.rooms[0].min_z + 1.0]), dir=0.0
            )

    return MiniWorldHouse(house, size)
