"""What a prompt changes in a room: light, fog, the colour of the walls, one object that appears.

Memory stays as it was seen. An event is drawn over each frame as it is shown, so that clearing the prompt clears it
exactly, and it acts alike on what is seen, remembered and painted.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.model.scene.camera import Floats
from lingbot_ros.model.scene.surfaces import NONE, WALL

COLOURS = ("blue", "green", "grey", "purple", "red", "yellow")
LIGHTS = ("unchanged", "bright", "dim", "dark")
FOGS = ("none", "thin", "thick")
WALLS = ("unchanged", *COLOURS)
THINGS = ("none", "box", "ball")
CHOICES: dict[str, tuple[str, ...]] = {
    "light": LIGHTS,
    "fog": FOGS,
    "walls": WALLS,
    "thing": THINGS,
    "thing_colour": COLOURS,
}
"""What each field of an event can be."""
RGB = {
    "blue": (0.0, 0.0, 1.0),
    "green": (0.0, 1.0, 0.0),
    "grey": (0.39, 0.39, 0.39),
    "purple": (0.44, 0.15, 0.76),
    "red": (1.0, 0.0, 0.0),
    "yellow": (1.0, 1.0, 0.0),
}
"""The simulator's colours, 0..1."""
WALL_PAINT = 0.7
"""How much of a colour is in the paint of a wall; the rest is white, so that textures stay visible."""
FOG_PER_M = {"none": 0.0, "thin": 0.12, "thick": 0.4}
FOG_GREY = 0.7
_LIGHT_GAIN = {"unchanged": 1.0, "bright": 1.2, "dim": 0.58, "dark": 0.38}
"""The median ratio of surfaces under the simulator's lamps and under its usual ones; `bright` is a compromise, because
there shaded surfaces become 1.4 times brighter and others not at all."""


@dataclass(frozen=True)
class Event:
    """One of `CHOICES` for each field; `thing_colour` means nothing without a thing. The default changes nothing."""

    light: str = "unchanged"
    fog: str = "none"
    walls: str = "unchanged"
    thing: str = "none"
    thing_colour: str = "red"

    def __post_init__(self) -> None:
        for field in fields(self):
            value, known = getattr(self, field.name), CHOICES[field.name]
            if value not in known:
                raise ValueError(f"{field.name} {value!r}: choose one of {', '.join(known)}")

    @property
    def changes_nothing(self) -> bool:
        """Whether frames are shown as they are remembered."""
        return self == Event(thing_colour=self.thing_colour)


def wall_paint(colour: str) -> tuple[float, float, float]:
    """What a colour of `WALLS` multiplies walls by, per channel, 0..1."""
    if colour == "unchanged":
        return (1.0, 1.0, 1.0)
    red, green, blue = (1 - WALL_PAINT + WALL_PAINT * value for value in RGB[colour])
    return red, green, blue


def shaded(event: Event, colour: NDArray[np.uint8], disparity: Floats, surface: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame uint8 [H, W, 3] under the event's walls, light and fog, from its disparity [H, W] in 1/m and surfaces."""
    result = colour.astype(np.float32)
    if event.walls != "unchanged":
        result[(surface >= WALL) & (surface != NONE)] *= np.array(wall_paint(event.walls), np.float32)
    result = np.minimum(result * np.float32(_LIGHT_GAIN[event.light]), 255)
    if event.fog != "none":
        clear = np.exp(-FOG_PER_M[event.fog] / np.maximum(disparity, 1e-3))[..., None].astype(np.float32)
        result = result * clear + np.float32(255 * FOG_GREY) * (1 - clear)
    return np.rint(result).astype(np.uint8)
