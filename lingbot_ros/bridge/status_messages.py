"""A reading of a live world -> status and diagnostics (REP-107)."""

import math
from dataclasses import dataclass

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from lingbot_msgs.msg import ImaginationStatus
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.runtime.enums import ControlSource, ControlState, Mode, State
from lingbot_ros.runtime.health import Health
from lingbot_ros.world import WorldInfo


@dataclass(frozen=True)
class Outlets:
    """Subscribers of each output."""

    images: int
    compressed: int


def status_message(reading: Health, info: WorldInfo, now: Time) -> ImaginationStatus:
    """The topic `status`; `now` is the node's clock."""
    figures, view, inbox = reading.figures, reading.view, reading.inbox
    message = ImaginationStatus(
        header=Header(stamp=now),
        state=reading.state,
        mode=reading.mode,
        active_session=view.active_id,
        session_count=len(view.sessions),
        model=info.name,
        engine=info.engine.engine,
        engine_version=info.engine.engine_version,
        device=info.engine.device,
        precision=info.engine.precision,
        threads=info.engine.threads,
        nominal_fps=float(info.fps),
        fps=figures.fps,
        real_time_factor=figures.fps / info.fps,
        control_latency_p50=figures.latency_p50_s,
        control_latency_p99=figures.latency_p99_s,
        chunk_time_p50=figures.chunk_p50_s,
        chunk_time_p99=figures.chunk_p99_s,
        queue_depth=reading.commands_waiting + inbox.waiting,
        queue_limit=reading.queue_limit,
        frames_waiting=reading.frames_waiting,
        frames_published=figures.published,
        frames_dropped=figures.dropped,
        controls_received=inbox.received,
        controls_rejected=figures.rejected,
        controls_replaced=inbox.replaced,
        frames_observed=figures.observed,
        images_waiting=reading.images.waiting,
        images_received=reading.images.received,
        images_unused=reading.images.unused,
        images_rejected=reading.images.rejected,
        control_source=ControlSource.UNKNOWN,
        control_state=ControlState.UNKNOWN,
        control_age=reading.control_age_s,
        session_memory=sum(session.memory_bytes for session in view.sessions),
        device_memory=reading.device_memory_bytes,
        error_count=figures.errors,
    )
    if (frame := figures.last_frame) is not None and frame.session_id == view.active_id:
        message.frame_index = frame.frame_index
        message.control_source = frame.control.source if frame.control else ControlSource.NONE
        message.control_state = frame.control.state if frame.control else ControlState.UNKNOWN
    if (error := figures.last_error) is not None:
        message.last_error_code, message.last_error_msg = error.code, error.message
        message.last_error_stamp = to_time(error.wall_ns)
    return message


def diagnostics_message(
    reading: Health, info: WorldInfo, outlets: Outlets, node_name: str, now: Time
) -> DiagnosticArray:
    """Three components: the generator, its input, its output."""
    parts = (_generator(reading, info), _input(reading), _output(reading, info, outlets))
    for part in parts:
        part.name, part.hardware_id = f"{node_name}: {part.name}", info.name
    return DiagnosticArray(header=Header(stamp=now), status=list(parts))


def _generator(reading: Health, info: WorldInfo) -> DiagnosticStatus:
    figures = reading.figures
    level, text = DiagnosticStatus.OK, f"{reading.state.name.lower()}, {reading.mode.name.lower()}"
    if reading.state is State.FAILED:
        level, text = DiagnosticStatus.ERROR, "the generator stopped; clean up and configure again"
    elif figures.chunk_p50_s * info.fps > info.frames_per_chunk and reading.mode is Mode.REALTIME:
        level, text = DiagnosticStatus.WARN, "slower than real time: give it more threads or a faster device"
    return _status("generator", level, text, {
        "engine": str(info.engine),
        "chunk_time_p50_s": _number(figures.chunk_p50_s),
        "chunk_time_p99_s": _number(figures.chunk_p99_s),
        "real_time_factor": _number(figures.fps / info.fps),
        "queue_depth": str(reading.commands_waiting + reading.inbox.waiting),
        "sessions": str(len(reading.view.sessions)),
        "device_memory_bytes": str(reading.device_memory_bytes),
        "errors": str(figures.errors),
        "last_error": figures.last_error.message if figures.last_error else "",
    })  # fmt: skip


def _input(reading: Health) -> DiagnosticStatus:
    stale = reading.figures.last_frame is not None and reading.control_age_s > reading.control_timeout_s
    level, text = (DiagnosticStatus.WARN, "controls are stale") if stale else (DiagnosticStatus.OK, "")
    if reading.mode is not Mode.REALTIME:
        level, text = DiagnosticStatus.OK, ""
    return _status("input", level, text, {
        "control_age_s": _number(reading.control_age_s),
        "received": str(reading.inbox.received),
        "rejected": str(reading.figures.rejected),
        "replaced": str(reading.inbox.replaced),
        "images_received": str(reading.images.received),
        "images_rejected": str(reading.images.rejected),
    })  # fmt: skip


def _output(reading: Health, info: WorldInfo, outlets: Outlets) -> DiagnosticStatus:
    figures = reading.figures
    return _status("output", DiagnosticStatus.OK, "", {
        "fps": _number(figures.fps),
        "nominal_fps": _number(info.fps),
        "control_latency_p50_s": _number(figures.latency_p50_s),
        "control_latency_p99_s": _number(figures.latency_p99_s),
        "published": str(figures.published),
        "dropped": str(figures.dropped),
        "image_subscribers": str(outlets.images),
        "compressed_subscribers": str(outlets.compressed),
    })  # fmt: skip


def _status(name: str, level: bytes, text: str, values: dict[str, str]) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(name=name, level=level, message=text, values=pairs)


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.6g}"
