"""What a frame's record says of what it shows, in its message."""

import math

import numpy as np
from std_msgs.msg import Header

from lingbot_ros.bridge.session_messages import Publication, frame_info
from lingbot_ros.runtime.enums import ControlSource, FrameKind
from lingbot_ros.runtime.records import Control, FrameRecord
from lingbot_ros.world import FrameView, StepTiming, World


def test_shares_and_the_reached_pose_are_in_the_message() -> None:
    info = World.load("rooms-small", threads=1).info
    wanted, reached = np.eye(4), np.eye(4)
    wanted[2, 3], reached[2, 3] = 2.0, 1.5
    known = {
        "image": np.zeros((2, 2, 3), np.uint8),
        **{"stamp_ns": 0, "session_id": "a", "parent_id": "", "branch_frame": 0, "seed": 0, "prompt": ""},
        **{"kind": FrameKind.IMAGINED, "frame_index": 1, "chunk_index": 0, "frame_in_chunk": 0, "chunk_frames": 1},
        **{"frames_since_real": 1, "control": Control(wanted, ControlSource.GOAL, 0.0), "timing": StepTiming()},
    }
    view = FrameView(seen=0.75, painted=0.125, unknown=0.125, motion_blocked=True)
    told = frame_info(FrameRecord(**known, view=view, camera_pose=reached), info, Header(), Publication(1, 0, 0.0))
    assert (told.seen_share, told.painted_share, told.unknown_share, told.motion_blocked) == (0.75, 0.125, 0.125, True)
    assert told.has_camera_pose and told.camera_pose.position.x == 0 and told.camera_pose.position.z == 1.5
    untold = frame_info(FrameRecord(**known), info, Header(), Publication(1, 0, 0.0))
    assert math.isnan(untold.seen_share) and not untold.motion_blocked
    assert untold.camera_pose.position.z == 2.0
