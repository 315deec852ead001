"""StartSession and seed images -> what a new session is made of."""

import numpy as np
from geometry_msgs.msg import Pose
from numpy.typing import NDArray

from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.cameras import pose_to_camera_to_world
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.recording.cameras import intrinsics_of
from lingbot_ros.runtime.records import StartRequest


def start_request(request: StartSession.Request, now_ns: int, *, has_camera: bool, rectified: bool) -> StartRequest:
    """The request on plain values; `has_camera`: the model is driven by camera poses; `rectified`: images are.

    Raises InputError naming the field that cannot be used.
    """
    image = image_to_rgb(request.image) if len(request.image.data) or request.image.encoding else None
    intrinsics = None
    if image is not None:
        intrinsics = intrinsics_of(request.camera_info, image.shape[0], image.shape[1], rectified=rectified)
    return StartRequest(
        start_stamp_ns=to_nanoseconds(request.start_stamp) or now_ns,
        image=image,
        intrinsics=intrinsics,
        start_pose=_start_pose(request.start_pose) if has_camera or _moved(request.start_pose) else None,
        prompt=request.prompt,
        seed=request.seed,
        session_id=request.session_id,
        in_background=request.in_background,
        replace_active=request.replace_active,
        lease_s=request.lease,
    )


def _moved(pose: Pose) -> bool:
    turn, position = pose.orientation, pose.position
    return any((turn.x, turn.y, turn.z, position.x, position.y, position.z))


def _start_pose(pose: Pose) -> NDArray[np.float64]:
    turn = pose.orientation
    if not any((turn.x, turn.y, turn.z, turn.w)):
        pose = Pose(position=pose.position)
    return pose_to_camera_to_world(pose, "start_pose")
