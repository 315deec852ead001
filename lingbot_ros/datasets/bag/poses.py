"""The camera's poses in a bag: from a topic of poses, or from transforms."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.control.frames import Edge, FrameGraph, plain_frame
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.pose_chain import Link, Matrix, PoseChain
from lingbot_ros.datasets.bag.stamps import StampColumn
from lingbot_ros.datasets.left_out import LeftOut
from lingbot_ros.errors import InputError
from lingbot_ros.recording.cameras import pose_to_matrix

FROM_TRANSFORMS = "tf"
_ODOMETRY = "nav_msgs/msg/Odometry"
POSE_TYPES = ("geometry_msgs/msg/PoseStamped", "geometry_msgs/msg/PoseWithCovarianceStamped", _ODOMETRY)
_TRANSFORMS = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")
_MOVING, _FIXED = "/tf", "/tf_static"


@dataclass(frozen=True)
class PoseOptions:
    """source: a topic of `POSE_TYPES`, or `tf`. frame: for `tf` the fixed frame.

    pose_frame: whose poses a topic has; empty: the child frame of an Odometry, the camera's housing for others, as the
    topic `camera_pose` has it. offset: x, y, z in metres, roll, pitch, yaw in degrees of the housing (x forward, y
    left, z up) in the frame whose poses they are; None: by the transforms in the bag.
    """

    source: str
    frame: str = "odom"
    pose_frame: str = ""
    offset: tuple[float, ...] | None = None


def find_poses(bag: Bag, options: PoseOptions, optical_frame: str, left_out: LeftOut) -> PoseChain:
    """The chain that leads to `optical_frame`, the frame of the images. Raises InputError that says what is missing."""
    if options.source == FROM_TRANSFORMS:
        if options.offset is not None or options.pose_frame:
            raise InputError("--poses", options.source, "leave out --camera-offset and --pose-frame, or give a topic")
        return _from_transforms(bag, options.frame, optical_frame, left_out)
    return _from_topic(bag, options, optical_frame, left_out)


def _from_topic(bag: Bag, options: PoseOptions, optical_frame: str, left_out: LeftOut) -> PoseChain:
    kinds = bag.types_of(options.source, "--poses", POSE_TYPES)
    link, parents, children = Link([], StampColumn(options.source)), set[str](), set[str]()
    for number, (received_ns, message) in enumerate(bag.messages(options.source, kinds)):
        try:
            if isinstance(message, InputError):
                raise message
            pose = message.pose.pose if hasattr(message.pose, "pose") else message.pose
            matrix = pose_to_matrix(pose, f"{options.source}, message {number}")
        except InputError as error:
            left_out.add(error)
            continue
        parents.add(plain_frame(message.header.frame_id))
        children.add(plain_frame(getattr(message, "child_frame_id", "")))
        link.matrices.append(matrix)
        assert link.column is not None
        link.column.add(received_ns, message)
    for what, frames in (("in", parents), ("of", children)):
        if len(frames) > 1:
            raise InputError("--poses", options.source, f"it has poses {what} {', '.join(sorted(frames))}; record one")
    offset, told = _offset(bag, options, next(iter(children), ""), optical_frame)
    return PoseChain([link, Link([offset])], [f"{options.source}: {len(link.matrices)} poses {told}"])


def _offset(bag: Bag, options: PoseOptions, child: str, optical_frame: str) -> tuple[Matrix, str]:
    """T_pose_optical, and what it was taken for."""
    frame = plain_frame(options.pose_frame) or child
    if options.offset is not None:
        return _housing(options.offset), f"of {frame or 'the robot'}, with the camera at --camera-offset"
    if not frame:
        return _housing((0.0,) * 6), "of the camera's housing (x forward, y left, z up)"
    if frame == plain_frame(optical_frame):
        return np.eye(4), f"of the images' frame {frame}"
    graph = FrameGraph(tolerance_s=0.0)
    for _, transform in _transforms(bag, _FIXED, LeftOut(_FIXED, "transforms")):
        graph.put(transform.child_frame_id, Edge(transform.header.frame_id, _matrix(transform), None))
    try:
        return graph.lookup(frame, optical_frame, "--poses"), f"of {frame}, with the camera where {_FIXED} has it"
    except InputError as error:
        fix = f"{_FIXED} does not connect it with the images' frame '{optical_frame}': give --camera-offset"
        raise InputError("--poses", f"{options.source}, poses of '{frame}'", f"{fix} ({error.fix})") from error


def _housing(offset: Sequence[float]) -> Matrix:
    """x, y, z, roll, pitch, yaw of a camera's housing -> T_frame_optical."""
    roll, pitch, yaw = np.radians(offset[3:])
    x, y, z = (cv2.Rodrigues(np.array(axis))[0] for axis in ((roll, 0.0, 0.0), (0.0, pitch, 0.0), (0.0, 0.0, yaw)))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = z @ y @ x @ BODY_FROM_OPTICAL, offset[:3]
    return matrix


def _from_transforms(bag: Bag, fixed: str, optical_frame: str, left_out: LeftOut) -> PoseChain:
    fixed, camera = plain_frame(fixed), plain_frame(optical_frame)
    if not camera:
        raise InputError(
            "--images", "no frame_id", "their headers must name the camera's optical frame, as --camera-frame"
        )
    links: dict[str, tuple[str, Link]] = {}
    for topic in (_FIXED, _MOVING):
        for received_ns, transform in _transforms(bag, topic, left_out):
            child, parent = plain_frame(transform.child_frame_id), plain_frame(transform.header.frame_id)
            column = StampColumn(f"{topic} {parent} -> {child}") if topic == _MOVING else None
            known, link = links.setdefault(child, (parent, Link([], column)))
            if known != parent:
                fix = f"it is under '{known}' and under '{parent}' in turn; record the transforms of one source"
                raise InputError("--poses", f"tf, frame '{child}'", fix)
            if link.column is not None:
                link.column.add(received_ns, transform)
            link.matrices.append(_matrix(transform))
    up, down = _ancestors(camera, links), _ancestors(fixed, links)
    common = next((frame for frame in down if frame in up), None)
    if common is None:
        known_frames = sorted(links.keys() | {parent for parent, _ in links.values()})
        known = ", ".join(known_frames) or "none"
        fix = f"no transforms lead from there to the images' frame '{camera}'; frames: {known}"
        raise InputError("--frame", fixed, f"{fix}; give another frame, or the camera's with --camera-frame")
    chain = [links[frame][1].reversed for frame in down[: down.index(common)]]
    chain += [links[frame][1] for frame in reversed(up[: up.index(common)])]
    if not any(link.column is not None for link in chain):
        fix = "only fixed transforms lie between them: the camera does not move; give another --frame"
        raise InputError("--frame", fixed, fix)
    way = " < ".join([*up[: up.index(common)], *reversed(down[: down.index(common) + 1])])
    return PoseChain(chain, [f"transforms: {way}"])


def _transforms(bag: Bag, topic: str, left_out: LeftOut) -> list[tuple[int, Any]]:
    """(time of receipt, TransformStamped) of a topic, none where the bag does not have it."""
    if topic not in bag.topics():
        return []
    found = []
    for received_ns, message in bag.messages(topic, bag.types_of(topic, "--poses", _TRANSFORMS)):
        if isinstance(message, InputError):
            left_out.add(message)
            continue
        found += [(received_ns, transform) for transform in message.transforms]
    return found


def _matrix(transform: Any) -> Matrix:
    pose = SimpleNamespace(position=transform.transform.translation, orientation=transform.transform.rotation)
    return pose_to_matrix(pose, f"transform '{transform.header.frame_id}' -> '{transform.child_frame_id}'")


def _ancestors(frame: str, links: dict[str, tuple[str, Link]]) -> list[str]:
    found = [frame]
    while found[-1] in links:
        parent = links[found[-1]][0]
        if parent in found:
            raise InputError("--poses", f"tf, frame '{parent}'", "its transforms make a loop")
        found.append(parent)
    return found
