"""The viewer's ROS side: topics in, controls out, service calls. Everything arrives on the event loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from rclpy.client import Client
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from lingbot_msgs.msg import FrameInfo, ImaginationStatus, RobotAction
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes import qos

_CALL_S = 60.0
_APPEAR_S = 5.0


class ImaginationLink:
    """Talks to one imagination node, which may come and go.

    node_name: of the imagination node, relative to the namespace of `node`. The executor spins in a thread of its own;
    callbacks given to `listen` run on the loop.
    """

    def __init__(self, node: Node, node_name: str = "imagination") -> None:
        self._node, self._name = node, node_name
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._clients: dict[str, Client[Any, Any]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._images: Any = None
        self.keys = node.create_publisher(String, "keys", qos.reliable(1))
        self.actions = node.create_publisher(RobotAction, "action", qos.reliable(1))
        self.prompts = node.create_publisher(String, "prompt", qos.PROMPT_KEPT)
        self._thread = threading.Thread(target=self._spin, name="viewer", daemon=True)

    def begin(self, on_info: Callable[[FrameInfo], None], on_status: Callable[[ImaginationStatus], None]) -> None:
        """Start to listen; called on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._node.create_subscription(FrameInfo, "frame_info", self._to_loop(on_info), qos.FRAME_INFO)
        self._node.create_subscription(ImaginationStatus, "status", self._to_loop(on_status), qos.STATUS)
        self._thread.start()

    def listen_to_images(self, compressed: bool, encode: Callable[[Any], Any], on_image: Callable[[Any], None]) -> None:
        """Listen to images of one kind in place of the other. `encode` runs on the executor's thread."""
        kind, topic = (CompressedImage, "image_raw/compressed") if compressed else (Image, "image_raw")
        deliver = self._to_loop(on_image)

        def subscribe() -> None:
            if self._images is not None:
                self._node.destroy_subscription(self._images)
            self._images = self._node.create_subscription(
                kind, topic, lambda message: deliver(encode(message)), qos.IMAGE
            )

        self._executor.create_task(subscribe)

    def hears_images(self) -> bool:
        """Whether a publisher of images is connected."""
        return self._images is not None and self._node.count_publishers(self._images.topic_name) > 0

    async def call(self, kind: Any, name: str, request: Any, timeout_s: float = _CALL_S) -> Any:
        """The answer of a service of the node; `name` without a slash is private to it.

        Raises LingbotError: the node's own refusal, or that it is not there or does not answer.
        """
        client = self._client(kind, name if name.startswith("/") else f"{self._name}/{name}")
        deadline_s = self._running_loop().time() + _APPEAR_S
        while not client.service_is_ready():
            if self._running_loop().time() > deadline_s:
                raise LingbotError(f"{client.srv_name} is not there; is the node running?", ErrorCode.TIMED_OUT)
            await asyncio.sleep(0.05)
        answered: asyncio.Future[Any] = self._running_loop().create_future()
        pending = client.call_async(request)
        pending.add_done_callback(lambda done: self._later(_set_result, answered, done))
        try:
            answer = await asyncio.wait_for(answered, timeout_s)
        except asyncio.TimeoutError:  # not the built-in one in Python 3.10
            client.remove_pending_request(pending)
            raise LingbotError(f"{client.srv_name} did not answer in {timeout_s:g} s", ErrorCode.TIMED_OUT) from None
        if getattr(answer, "error_code", 0):
            raise LingbotError(answer.error_msg, _code(answer.error_code))
        return answer

    def service_name(self, name: str) -> str:
        """The full name of a service in the namespace of the node, for services that are not private to it."""
        return self._node.resolve_service_name(name)

    def is_offered(self, name: str) -> bool:
        """Whether a node of the namespace offers a service of that name."""
        full = self.service_name(name)
        return any(found == full for found, _ in self._node.get_service_names_and_types())

    def now(self) -> Any:
        """The node's clock, as a message."""
        return self._node.get_clock().now().to_msg()

    def close(self) -> None:
        """End the executor's thread; the node remains."""
        self._executor.shutdown(timeout_sec=0.5)
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _client(self, kind: Any, name: str) -> "Client[Any, Any]":
        if name not in self._clients:
            self._clients[name] = self._node.create_client(kind, name, qos_profile=qos.ANSWERS)
        return self._clients[name]

    def _to_loop(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        return lambda message: self._later(callback, message)

    def _later(self, callback: Callable[..., object], *arguments: Any) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(callback, *arguments)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()


def _set_result(answered: "asyncio.Future[Any]", done: Any) -> None:
    if answered.done():
        return
    if done.exception() is not None:
        answered.set_exception(LingbotError(str(done.exception())))
    else:
        answered.set_result(done.result())


def _code(number: int) -> ErrorCode:
    try:
        return ErrorCode(number)
    except ValueError:
        return ErrorCode.INTERNAL
