"""Model cards -> messages."""

from typing import Literal

from lingbot_msgs.msg import ModelInfo
from lingbot_ros.checkpoints.cards import ControlSpec, ModelCard
from lingbot_ros.checkpoints.files import unavailable_reason
from lingbot_ros.world import WorldInfo

_CONTROL_KINDS = {"action": ModelInfo.CONTROL_ACTION, "camera": ModelInfo.CONTROL_CAMERA}


def model_info(card: ModelCard, loaded: WorldInfo | None = None, load_s: float = 0.0) -> ModelInfo:
    """What a card says, and what runs when `loaded` is the world made of it. Weights are looked for, not read."""
    spec, reason = card.control, unavailable_reason(card)
    message = ModelInfo(
        name=card.name,
        family=card.family,
        task=card.task or "",
        description=card.summary,
        licence=card.licence,
        available=not reason,
        unavailable_reason=reason,
        control_kind=_CONTROL_KINDS[spec.kind],
        control_dim=spec.dim if spec.kind == "action" else 0,
        control_names=list(spec.names),
        control_units=[spec.unit] * len(spec.names),
        control_low=[float(value) for value in spec.low],
        control_high=[float(value) for value in spec.high],
        uses_prompt=card.takes_text,
        height=card.height,
        width=card.width,
        fps=float(card.fps),
        max_horizon=card.max_horizon or 0,
        weights_sha256=card.weights.sha256,
        weights_size=card.weights.bytes,
    )
    if loaded is not None:
        _set_loaded(message, loaded, load_s)
    return message


def control_spec(message: ModelInfo) -> ControlSpec:
    """What drives the model, as a client learns it."""
    kind: Literal["action", "camera"] = "camera" if message.control_kind == ModelInfo.CONTROL_CAMERA else "action"
    low, high = tuple(message.control_low), tuple(message.control_high)
    unit = message.control_units[0] if message.control_units else ""
    return ControlSpec(kind, message.control_dim, tuple(message.control_names), low, high, unit)


def _set_loaded(message: ModelInfo, info: WorldInfo, load_s: float) -> None:
    message.loaded = True
    message.first_chunk_frames, message.frames_per_chunk = info.first_chunk_frames, info.frames_per_chunk
    message.parameters, message.session_memory = info.parameters, info.session_bytes
    message.engine, message.engine_version = info.engine.engine, info.engine.engine_version
    message.device, message.precision = info.engine.device, info.engine.precision
    message.threads, message.load_time = info.engine.threads, load_s
