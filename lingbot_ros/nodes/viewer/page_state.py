"""Messages -> what the page shows beside the frames, as JSON: no NaN, nothing that is not known."""

import math
from typing import Any

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, ModelInfo
from lingbot_ros.runtime.enums import Mode, State


def node_state(model: ModelInfo | None, status: ImaginationStatus | None, info: FrameInfo | None) -> dict[str, Any]:
    """status: None = the node is silent."""
    return {"model": _model(model), "status": _status(status), "frame": _frame(info)}


def _model(model: ModelInfo | None) -> dict[str, Any] | None:
    if model is None:
        return None
    camera = model.control_kind == ModelInfo.CONTROL_CAMERA
    return {
        "name": model.name,
        "control": "keys" if camera else "pointer" if _is_pointer(model) else "values",
        "names": list(model.control_names),
        "units": list(model.control_units),
        "low": list(model.control_low),
        "high": list(model.control_high),
        "uses_prompt": model.uses_prompt,
        "task": model.task,
        "width": model.width,
        "height": model.height,
        "fps": model.fps,
        "max_horizon": model.max_horizon,
        "engine": f"{model.engine} {model.precision}, {model.device}",
    }


def _is_pointer(model: ModelInfo) -> bool:
    """Two bounded components x and y: a place in the image, the limits being its edges."""
    return list(model.control_names) == ["x", "y"] and len(model.control_low) == len(model.control_names)


def _status(status: ImaginationStatus | None) -> dict[str, Any] | None:
    if status is None:
        return None
    return {
        "state": State(status.state).name.lower(),
        "mode": Mode(status.mode).name.lower(),
        "session": status.active_session,
        "fps": _known(status.fps),
        "latency_s": _known(status.control_latency_p50),
        "memory_bytes": status.device_memory,
        "recording": status.recording,
        "error": status.last_error_msg,
    }


def _frame(info: FrameInfo | None) -> dict[str, Any] | None:
    if info is None:
        return None
    return {
        "index": info.frame_index,
        "trust": _known(info.trust),
        "trust_definition": info.trust_definition,
        "since_real": info.frames_since_real,
        "max_horizon": info.max_horizon,
        "prompt": info.prompt,
        "seed": info.seed,
        "blocked": info.motion_blocked,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
