"""What the imagination node publishes for each frame."""

import time

from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from lingbot_msgs.msg import FrameInfo
from lingbot_ros.bridge.bag_messages import used_control
from lingbot_ros.bridge.cameras import camera_info
from lingbot_ros.bridge.images import grey_to_image, rgb_to_compressed, rgb_to_image
from lingbot_ros.bridge.session_messages import Publication, frame_header, frame_info
from lingbot_ros.bridge.status_messages import Outlets
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.names import compressed_twin
from lingbot_ros.nodes.imagination.recording import Recording
from lingbot_ros.runtime.enums import FrameKind, Mode
from lingbot_ros.runtime.records import FrameRecord


class FrameOutputs:
    """image_raw, its compressed twin, camera_info, frame_info and, if asked for, mask_image, all under one header."""

    def __init__(self, running: NodeContext, recording: Recording) -> None:
        node, config, info = running.node, running.config, running.info
        self._node, self._config, self._info, self._statistics = node, config, info, running.worker.statistics
        self._recording = recording
        changeable = QoSOverridingOptions.with_default_policies()
        create = node.create_lifecycle_publisher
        profile = qos.frames(config.worker.mode, info.height * info.width * 3)
        self._image = create(Image, "image_raw", profile, qos_overriding_options=changeable)
        self._twin = compressed_twin(node, "image_raw/compressed")
        self._compressed = create(CompressedImage, self._twin, profile, qos_overriding_options=changeable)
        self._camera_info = create(CameraInfo, "camera_info", profile, qos_overriding_options=changeable)
        self._frame_info = create(
            FrameInfo,
            "frame_info",
            qos.FRAME_INFO if config.worker.mode is Mode.REALTIME else profile,
            qos_overriding_options=changeable,
        )
        self._mask = create(Image, "mask_image", profile, qos_overriding_options=changeable) if config.mask else None
        publishers = (self._image, self._compressed, self._camera_info, self._frame_info, self._mask)
        self._publishers = [publisher for publisher in publishers if publisher is not None]

    def publish(self, record: FrameRecord) -> None:
        """On the pacer's thread: a frame to all topics that have subscribers and to the bag; its info always."""
        info, bag = self._info, self._recording
        if not self._image.is_activated:
            return
        header = frame_header(record, self._config.optical_frame)
        # Real images are recorded raw in any case, first ones as they were given: from these a session is imagined
        # again, and real images in between are observed again.
        if bag.running and record.given_image is not None and record.given_image.shape != record.image.shape:
            bag.put("~/given_image", rgb_to_image(record.given_image, header))
        as_jpeg = bag.compressed and record.kind is FrameKind.IMAGINED
        if (seen := self._image.get_subscription_count()) or (bag.running and not as_jpeg):
            image = rgb_to_image(record.image, header)
            if seen:
                self._image.publish(image)
            if not as_jpeg:
                bag.put("image_raw", image)
        if (seen := self._compressed.get_subscription_count()) or (bag.running and as_jpeg):
            jpeg = rgb_to_compressed(record.image, header, self._config.jpeg_quality)
            if seen:
                self._compressed.publish(jpeg)
            if as_jpeg:
                bag.put(self._twin, jpeg)
        camera = camera_info(record.intrinsics, info.height, info.width, header)
        self._camera_info.publish(camera)
        if self._mask is not None and record.mask is not None:
            mask = grey_to_image(record.mask, header)
            self._mask.publish(mask)
            bag.put("mask_image", mask)
        index = self._statistics.add_frame(record)
        published = Publication(index, time.time_ns(), time.monotonic())
        about = frame_info(record, info, header, published)
        self._frame_info.publish(about)
        if bag.running:
            bag.put("camera_info", camera)
            bag.put("frame_info", about)
            bag.put("~/control", used_control(record, header))

    def outlets(self) -> Outlets:
        return Outlets(self._image.get_subscription_count(), self._compressed.get_subscription_count())

    def destroy(self) -> None:
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)
