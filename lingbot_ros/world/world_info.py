"""What a world says about itself."""

from dataclasses import dataclass

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.engine.interface import ProgramInfo
from lingbot_ros.model.framing import Fit


@dataclass(frozen=True)
class WorldInfo:
    """What a world takes, gives and needs. Sizes in pixels, memory in bytes, `max_horizon` in frames or None.

    trust_definition: what the trust of a frame (`Session.trust`) means; empty when it is not estimated.
    """

    name: str
    family: str
    licence: str
    control: ControlSpec
    height: int
    width: int
    fps: float
    frames_per_chunk: int
    first_chunk_frames: int
    max_horizon: int | None
    engine: ProgramInfo
    parameters: int
    weights_bytes: int
    session_bytes: int
    fit: Fit = "aspect"
    trust_definition: str = ""
