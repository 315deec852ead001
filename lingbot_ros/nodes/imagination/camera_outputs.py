"""The imagined camera as ROS sees a camera: odometry and, if asked for, transforms."""

import numpy as np
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.bridge.transforms import odometry_message, optical_in_body, transform_message
from lingbot_ros.control.axes import BODY_FROM_OPTICAL
from lingbot_ros.control.rigid import inverse, logarithm
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.recording import Recording
from lingbot_ros.runtime.records import FrameRecord


class CameraOutputs:
    """`odom` and `/tf`, stamped as the frames are. Nothing for models whose camera does not move.

    All frames but the map begin with `frames.tf_prefix`, so that the tree of a live robot stays its own.
    """

    def __init__(self, running: NodeContext, recording: Recording) -> None:
        node, config, info = running.node, running.config, running.info
        self._node, self._recording, self._map, self._fps = node, recording, config.map_frame, info.fps
        prefix = config.inputs.tf_prefix
        names = (config.inputs.camera_frame, config.optical_frame)
        self._camera, self._optical = (prefix + name.removeprefix(prefix) for name in names)
        self._last: tuple[str, int, NDArray[np.float64]] | None = None
        has_camera = info.control.kind == "camera"
        create = node.create_lifecycle_publisher
        self._odom = create(Odometry, "odom", qos.reliable(5)) if has_camera and config.odom else None
        self._tf = create(TFMessage, "/tf", qos.reliable(100)) if has_camera and config.tf else None
        self._static = create(TFMessage, "/tf_static", qos.latched()) if has_camera and config.tf else None

    def publish(self, record: FrameRecord) -> None:
        """On the pacer's thread, for each frame."""
        pose = record.camera_pose
        if pose is None and record.control is not None:
            pose = record.control.values[:4]
        if pose is None or (self._odom is None and self._tf is None):
            return
        body = pose.copy()
        body[:3, :3] = body[:3, :3] @ BODY_FROM_OPTICAL.T
        header = Header(stamp=to_time(record.stamp_ns), frame_id=self._map)
        if self._odom is not None:
            odometry = odometry_message(header, self._camera, body, self._twist(record, body))
            self._odom.publish(odometry)
            self._recording.put("odom", odometry)
        if self._tf is not None and self._static is not None:
            if self._last is None or record.frame_index == 0:
                own = Header(stamp=header.stamp, frame_id=self._camera)
                static = TFMessage(transforms=[transform_message(own, self._optical, optical_in_body())])
                self._static.publish(static)
                self._recording.put("/tf_static", static)
            moved = TFMessage(transforms=[transform_message(header, self._camera, body)])
            self._tf.publish(moved)
            self._recording.put("/tf", moved)
        self._last = (record.session_id, record.frame_index, body)

    def destroy(self) -> None:
        for publisher in (self._odom, self._tf, self._static):
            if publisher is not None:
                self._node.destroy_lifecycle_publisher(publisher)

    def _twist(self, record: FrameRecord, body: NDArray[np.float64]) -> NDArray[np.float64]:
        """From the frame before of the same session; zero where that is not known."""
        if self._last is None or self._last[:2] != (record.session_id, record.frame_index - 1):
            return np.zeros(6)
        return logarithm(inverse(self._last[2]) @ body) * self._fps
