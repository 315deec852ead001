"""What a world says about itself."""

from dataclasses import dataclass

from lingbot_ros.checkpoints.cards import ControlSpec, ModelCard
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

    @classmethod
    def of(
        cls,
        card: ModelCard,
        fit: Fit,
        engine: ProgramInfo,
        *,
        parameters: int,
        weights_bytes: int,
        session_bytes: int,
        frames_per_chunk: int = 1,
        first_chunk_frames: int = 1,
        trust_definition: str = "",
    ) -> "WorldInfo":
        """Of the model of a card: what the card says, and what is known once the model is loaded."""
        return cls(
            name=card.name,
            family=card.family,
            licence=card.licence,
            control=card.control,
            height=card.height,
            width=card.width,
            fps=card.fps,
            frames_per_chunk=frames_per_chunk,
            first_chunk_frames=first_chunk_frames,
            max_horizon=card.max_horizon,
            engine=engine,
            parameters=parameters,
            weights_bytes=weights_bytes,
            session_bytes=session_bytes,
            fit=fit,
            trust_definition=trust_definition,
        )
