"""The sizes of a scene model, as its card gives them."""

from dataclasses import dataclass
from typing import Literal

from lingbot_ros.model.config import RayControlConfig


@dataclass(frozen=True)
class SceneConfig:
    """`widths` are the depth network's channels at 1/4, 1/8 and 1/16 of the frame.

    keyframes: how many views a session remembers; sources: how many of them a frame is rendered from; radius_m: how
    near the camera may come to what it sees; events: whether the weights hold a reader of prompts; doors: whether rooms
    out of which no way was seen are painted with a door.
    """

    widths: tuple[int, int, int] = (48, 96, 160)
    keyframes: int = 64
    sources: int = 4
    radius_m: float = 0.25
    events: bool = False
    doors: bool = False
    prediction: Literal["scene"] = "scene"

    def __post_init__(self) -> None:
        if len(self.widths) != 3 or any(width < 8 or width % 8 for width in self.widths):
            raise ValueError(f"widths {self.widths}: give three multiples of 8")
        if not 1 <= self.sources <= self.keyframes:
            raise ValueError(f"sources {self.sources} of {self.keyframes} keyframes: give 1 up to all of them")
        if self.radius_m < 0:
            raise ValueError(f"radius_m {self.radius_m}: must not be negative")

    @property
    def text(self) -> None:
        """There is no network that attends to text; prompts are read as events, see `event_reader`."""
        return None

    @property
    def control(self) -> RayControlConfig:
        """A scene is driven by camera poses."""
        return RayControlConfig(channels=6, fold=1)
