"""What the imagination node publishes for each frame."""

import time

from rclpy.lifecycle import LifecycleNode
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from lingbot_msgs.msg import FrameInfo
from lingbot_ros.bridge.cameras import camera_info
from lingbot_ros.bridge.images import rgb_to_compressed, rgb_to_image
from lingbot_ros.bridge.session_messages import Publication, frame_header, frame_info
from lingbot_ros.bridge.status_messages import Outlets
from lingbot_ros.live.codes import Mode
from lingbot_ros.live.records import FrameRecord
from lingbot_ros.live.statistics import Statistics
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.parameters import ImaginationConfig
from lingbot_ros.world import WorldInfo


class FrameOutputs:
    """image_raw, its compressed twin, camera_info and frame_info, all under one header."""

    def __init__(self, node: LifecycleNode, config: ImaginationConfig, info: WorldInfo, statistics: Statistics) -> None:
        self._node, self._config, self._info, self._statistics = node, config, info, statistics
        changeable = QoSOverridingOptions.with_default_policies()
        create = node.create_lifecycle_publisher
        profile = qos.frames(config.worker.mode, info.height * info.width * 3)
        self._image = create(Image, "image_raw", profile, qos_overriding_options=changeable)
        self._compressed = create(CompressedImage, "image_raw/compressed", profile, qos_overriding_options=changeable)
        self._camera_info = create(CameraInfo, "camera_info", profile, qos_overriding_options=changeable)
        self._frame_info = create(
            FrameInfo,
            "frame_info",
            qos.FRAME_INFO if config.worker.mode is Mode.REALTIME else profile,
            qos_overriding_options=changeable,
        )
        self._publishers = (self._image, self._compressed, self._camera_info, self._frame_info)

    def publish(self, record: FrameRecord) -> None:
        """On the pacer's thread: a frame to all topics that have subscribers; its info always."""
        info = self._info
        if not self._image.is_activated:
            return
        header = frame_header(record, self._config.optical_frame)
        if self._image.get_subscription_count():
            self._image.publish(rgb_to_image(record.image, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(rgb_to_compressed(record.image, header, self._config.jpeg_quality))
        self._camera_info.publish(camera_info(record.intrinsics, info.height, info.width, header))
        index = self._statistics.add_frame(record)
        published = Publication(index, time.time_ns(), time.monotonic())
        self._frame_info.publish(frame_info(record, info, header, published))

    def outlets(self) -> Outlets:
        return Outlets(self._image.get_subscription_count(), self._compressed.get_subscription_count())

    def destroy(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_publisher(publisher)
