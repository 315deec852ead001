"""Frames and sessions -> messages."""

from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Time
from numpy.typing import NDArray
from std_msgs.msg import Header

from lingbot_msgs.msg import FrameInfo, SessionInfo
from lingbot_ros.bridge.cameras import camera_info, camera_to_world_to_pose
from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.runtime.enums import ControlSource, ControlState
from lingbot_ros.runtime.records import FrameRecord, SessionView
from lingbot_ros.world import WorldInfo

_ACTION_SHAPE_DIMENSIONS = 1


@dataclass(frozen=True)
class Publication:
    """index: number of the published frame, 0 = not published. wall_ns, monotonic_s: both clocks at that moment."""

    index: int
    wall_ns: int
    monotonic_s: float


def frame_header(record: FrameRecord, frame_id: str) -> Header:
    """The header that a frame's image, camera_info and frame_info share: imagined time, optical frame."""
    return Header(stamp=to_time(record.stamp_ns), frame_id=frame_id)


def frame_info(record: FrameRecord, info: WorldInfo, header: Header, publication: Publication) -> FrameInfo:
    """Everything that is known about a frame; the shares are NaN where a model cannot tell them."""
    timing, view = record.timing, record.view
    message = FrameInfo(
        header=header,
        publish_index=publication.index,
        wall_stamp=to_time(publication.wall_ns),
        model=info.name,
        engine=info.engine.engine,
        session_id=record.session_id,
        parent_id=record.parent_id,
        branch_frame=record.branch_frame,
        seed=record.seed,
        prompt=record.prompt,
        kind=record.kind,
        frame_index=record.frame_index,
        chunk_index=record.chunk_index,
        frame_in_chunk=record.frame_in_chunk,
        chunk_frames=record.chunk_frames,
        observed_stamp=to_time(record.observed_stamp_ns),
        control_source=ControlSource.NONE,
        control_state=ControlState.UNKNOWN,
        trust=record.trust,
        trust_definition=info.trust_definition,
        seen_share=float("nan") if view is None else view.seen,
        painted_share=float("nan") if view is None else view.painted,
        unknown_share=float("nan") if view is None else view.unknown,
        motion_blocked=view is not None and view.motion_blocked,
        frames_since_real=record.frames_since_real,
        max_horizon=info.max_horizon or 0,
        control_latency=float("nan"),
        chunk_time=timing.total_s,
        denoise_time=timing.denoise_s,
        commit_time=timing.commit_s,
        decode_time=timing.decode_s,
    )
    control = record.control
    if control is not None:
        message.control_source, message.control_state = control.source, control.state
        message.control_id, message.control_stamp = control.id, to_time(control.stamp_ns)
        _set_control(message, control.values)
        if control.state is ControlState.FRESH:
            message.control_latency = publication.monotonic_s - control.received_s
    if record.camera_pose is not None:
        message.has_camera_pose, message.camera_pose = True, camera_to_world_to_pose(record.camera_pose)
    return message


def session_info(view: SessionView, info: WorldInfo, frame_id: str) -> SessionInfo:
    """A session as others see it; its camera_info carries the stamp of its last frame."""
    stamp: Time = to_time(view.stamp_ns)
    return SessionInfo(
        session_id=view.session_id,
        parent_id=view.parent_id,
        branch_frame=view.branch_frame,
        active=view.active,
        model=info.name,
        engine=info.engine.engine,
        seed=view.seed,
        prompt=view.prompt,
        frame_index=view.frame_index,
        chunk_index=view.chunk_index,
        next_chunk_frames=view.next_chunk_frames,
        start_stamp=to_time(max(0, view.start_stamp_ns)),  # before 0 once a simulator has set its clock back
        stamp=stamp,
        camera_info=camera_info(view.intrinsics, info.height, info.width, Header(stamp=stamp, frame_id=frame_id)),
        memory=view.memory_bytes,
        created=to_time(view.created_ns),
        lease=view.lease_s,
    )


def _set_control(message: FrameInfo, values: NDArray[np.float64]) -> None:
    if values.ndim == _ACTION_SHAPE_DIMENSIONS:
        message.control = values
    else:
        message.has_camera_pose, message.camera_pose = True, camera_to_world_to_pose(values[:4])
        message.control = values[4:].ravel()  # keys
