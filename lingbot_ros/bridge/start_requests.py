"""StartSession and seed images -> what a new session is made of."""

from geometry_msgs.msg import Pose

from lingbot_msgs.srv import StartSession
from lingbot_ros.bridge.cameras import intrinsics_of
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.bridge.stamps import to_nanoseconds
from lingbot_ros.errors import InputError
from lingbot_ros.live.records import StartRequest


def start_request(request: StartSession.Request, now_ns: int) -> StartRequest:
    """The request on plain values. Raises InputError naming the field that cannot be used."""
    image = image_to_rgb(request.image) if len(request.image.data) or request.image.encoding else None
    intrinsics = None
    if image is not None:
        intrinsics = intrinsics_of(request.camera_info, image.shape[0], image.shape[1])
    _require_identity(request.start_pose)
    return StartRequest(
        start_stamp_ns=to_nanoseconds(request.start_stamp) or now_ns,
        image=image,
        intrinsics=intrinsics,
        prompt=request.prompt,
        seed=request.seed,
        session_id=request.session_id,
        in_background=request.in_background,
        replace_active=request.replace_active,
        lease_s=request.lease,
    )


def _require_identity(pose: Pose) -> None:
    position = (pose.position.x, pose.position.y, pose.position.z)
    turn = (pose.orientation.x, pose.orientation.y, pose.orientation.z)
    if any(value != 0 for value in (*position, *turn)):
        fix = "leave it at the identity: sessions begin at the origin of the map"
        raise InputError("start_pose", [*position, *turn], fix)
