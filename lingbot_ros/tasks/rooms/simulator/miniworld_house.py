"""A house as a MiniWorld environment. MiniWorld opens a graphics context as it is imported, so that happens late."""

from typing import Any

import numpy as np

from lingbot_ros.model.scene.events import FOG_GREY, FOG_PER_M, Event, wall_paint
from lingbot_ros.model.scene.thing import SIZE_M, Place
from lingbot_ros.tasks.rooms.simulator.house import CEILING_M, THEMES, House

LAMPS = {"unchanged": 1.0, "bright": 1.6, "dim": 0.4, "dark": 0.12}
"""What an event's light multiplies the simulator's lamps by; 0.2 of each surface's colour is lit without them."""


class _Painted:
    """A texture whose walls have a colour beside it."""

    def __init__(self, texture: Any, paint: tuple[float, float, float]) -> None:
        self._texture, self._paint = texture, paint

    def bind(self) -> None:
        from pyglet.gl import glColor3f  # noqa: PLC0415

        glColor3f(*self._paint)
        self._texture.bind()


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

        def show(self, event: Event, place: Place | None) -> None:
            """Let an event happen in the house, its thing at `place` in the simulator's axes."""
            from pyglet.gl import (  # noqa: PLC0415
                GL_EXP,
                GL_FOG,
                GL_FOG_COLOR,
                GL_FOG_DENSITY,
                GL_FOG_MODE,
                GLfloat,
                glDisable,
                glEnable,
                glFogf,
                glFogfv,
                glFogi,
            )

            if event.thing != "none" and place is not None:
                kind = Box if event.thing == "box" else Ball
                thing = kind(event.thing_colour, size=SIZE_M)
                self.place_entity(thing, pos=np.array([place.x, 0, place.z]), dir=place.turn_rad)
                thing.randomize(self.params, None)
            lamps: Any = self  # MiniWorld sets its lamps by name
            lamps.light_color = LAMPS[event.light] * np.array(lamps.light_color)
            lamps.light_ambient = LAMPS[event.light] * np.array(lamps.light_ambient)
            for room in self.rooms:
                room.wall_tex = _Painted(room.wall_tex, wall_paint(event.walls))
            self.shadow_window.switch_to()
            (glDisable if event.fog == "none" else glEnable)(GL_FOG)
            glFogi(GL_FOG_MODE, GL_EXP)
            glFogf(GL_FOG_DENSITY, FOG_PER_M[event.fog])
            glFogfv(GL_FOG_COLOR, (GLfloat * 4)(FOG_GREY, FOG_GREY, FOG_GREY, 1.0))
            self._render_static()

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
