"""A stand-in for the node `imagination`: 480x832 JPEG at 30 per second, each with its number and time burnt in."""

import time
from contextlib import suppress

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from benchmarks.viewer.mark import DAY_MS, burn
from lingbot_msgs.msg import FrameInfo, ImaginationStatus, ModelInfo
from lingbot_msgs.srv import ListModels
from lingbot_ros.nodes import qos

HEIGHT, WIDTH, FPS = 480, 832, 30.0
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 80)
_PICTURES = 8


class Source(Node):
    """Publishes until it is ended. Prints when it began, in ms of the day."""

    def __init__(self) -> None:
        super().__init__("imagination")
        self._images = self.create_publisher(CompressedImage, "image_raw/compressed", qos.IMAGE)
        self._infos = self.create_publisher(FrameInfo, "frame_info", qos.FRAME_INFO)
        self._status = self.create_publisher(ImaginationStatus, "status", qos.STATUS)
        self.create_service(ListModels, "~/list_models", self._list)
        self._number = 0
        self._pictures = [natural(seed) for seed in range(_PICTURES)]
        self.create_timer(1 / FPS, self._publish)
        self.create_timer(1.0, self._tell)

    def _publish(self) -> None:
        picture = self._pictures[self._number % _PICTURES]
        time_ms = time.time_ns() // 1_000_000 % DAY_MS
        burn(picture, self._number, time_ms)
        if self._number == 0:
            print(time_ms, flush=True)
        message = CompressedImage(format="jpeg")
        message.header.stamp = self.get_clock().now().to_msg()
        message.data.frombytes(cv2.imencode(".jpg", picture, _JPEG)[1].tobytes())
        self._images.publish(message)
        self._infos.publish(FrameInfo(header=message.header, frame_index=self._number))
        self._number += 1

    def _tell(self) -> None:
        state, mode = ImaginationStatus.STATE_RUNNING, ImaginationStatus.MODE_REALTIME
        self._status.publish(ImaginationStatus(state=state, mode=mode, active_session="synthetic", model="synthetic"))

    def _list(self, _: ListModels.Request, response: ListModels.Response) -> ListModels.Response:
        camera = ModelInfo.CONTROL_CAMERA
        response.models = [
            ModelInfo(name="synthetic", loaded=True, width=WIDTH, height=HEIGHT, fps=FPS, control_kind=camera)
        ]
        return response


def natural(seed: int) -> np.ndarray:
    """A picture with detail at every scale, which JPEG makes about 90 kB of."""
    random = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for scale in (1, 4, 16, 64):
        cells = random.random((HEIGHT // scale + 1, WIDTH // scale + 1, 3), np.float32)
        picture += cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) * scale**0.5
    return (255 * (picture - picture.min()) / np.ptp(picture)).astype(np.uint8)


if __name__ == "__main__":
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(Source())
