"""The sizes of a world of rigid layers, as its card gives them."""

import math
from dataclasses import dataclass
from typing import Literal

from lingbot_ros.model.config import ActionControlConfig

MOST_CORNERS = 24
"""That the fit gives an outline: `corners` must leave room for them."""


@dataclass(frozen=True)
class RigidLayersConfig:
    """`layers` in all, the first `driven` of which obey the action and lie on top; the others are pushed by them.

    extent_px: the widest that a layer may be; texels per pixel of the frame; ramp_px: how wide an edge is drawn;
    corners: the most that an outline may have; sights: how many real frames are kept to fit it to; substeps of the
    motion per frame; colours: of the palette; variants: copies that tell how far a world can be believed, 0 = none.

    fitted_to: what the constants were learned from. `states`: a task's knowledge; the palette has the background's
    colours, and an action points to a place of the image. `images`: clips of a camera that stands still; the background
    is an image, the palette has the layers' colours alone, the constants say where an action points, and every moved
    layer has a gyration of its own.
    """

    layers: int
    driven: int = 1
    extent_px: int = 40
    texels: int = 4
    ramp_px: float = 0.375
    corners: int = 24
    sights: int = 4
    substeps: int = 10
    colours: int = 7
    variants: int = 4
    fitted_to: Literal["states", "images"] = "states"
    prediction: Literal["canonical"] = "canonical"

    def __post_init__(self) -> None:
        if not 0 < self.driven < self.layers:
            raise ValueError(f"driven {self.driven} of {self.layers} layers: give at least one of either kind")
        if self.variants < 0:
            raise ValueError(f"variants {self.variants}: must not be negative")
        for name in ("extent_px", "texels", "ramp_px", "corners", "sights", "substeps", "colours"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} {getattr(self, name)}: must be positive")

    @property
    def text(self) -> None:
        """Worlds of layers read no text."""
        return None

    @property
    def control(self) -> ActionControlConfig:
        """An action gives a place in the image for every driven layer."""
        return ActionControlConfig(dim=2 * self.driven, history=1, image_plane=True)

    @property
    def texture_side(self) -> int:
        """Texels across a texture."""
        return self.extent_px * self.texels

    @property
    def depth_px(self) -> float:
        """How far from an outline a texture tells the distance to it: as far as bilinear samples of its edge reach."""
        return self.ramp_px / 2 + math.sqrt(2) / self.texels
