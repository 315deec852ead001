"""The topics that drive the imagination node: check, store, return."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from lingbot_msgs.msg import RobotAction
from lingbot_ros.bridge.controls import actions_to_controls
from lingbot_ros.bridge.images import compressed_to_rgb, image_to_rgb
from lingbot_ros.errors import ErrorCode, LingbotError, SessionError
from lingbot_ros.live.codes import ControlSource
from lingbot_ros.live.records import Image as Rgb
from lingbot_ros.live.records import StartRequest
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.running import Running


class Inputs:
    """Topics `action`, `seed_image` (and `/compressed`) and `prompt`. What cannot be used is logged and counted."""

    def __init__(self, running: Running) -> None:
        self._running = running
        settings, group = running.config.worker, running.inputs
        changeable = QoSOverridingOptions.with_default_policies()
        self._subscriptions = [
            running.node.create_subscription(
                kind,
                topic,
                self._guarded(topic, handler),
                profile,
                callback_group=group,
                qos_overriding_options=changeable,
            )
            for kind, topic, handler, profile in (
                (RobotAction, "action", self._on_action, qos.control(settings.mode, settings.control_capacity)),
                (Image, "seed_image", lambda message: self._seed(image_to_rgb(message, "seed_image")), qos.IMAGE),
                (CompressedImage, "seed_image/compressed",
                 lambda message: self._seed(compressed_to_rgb(message, "seed_image")), qos.IMAGE),
                (String, "prompt", self._on_prompt, qos.PROMPT),
            )
        ]  # fmt: skip

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._running.node.destroy_subscription(subscription)

    def _guarded(self, topic: str, handler: Callable[[Any], None]) -> Callable[[Any], None]:
        def receive(message: Any) -> None:
            try:
                self._running.require_active()
                handler(message)
            except Exception as error:  # a bad message must not end the executor
                self._refuse(topic, error)

        return receive

    def _on_action(self, message: RobotAction) -> None:
        active = self._running.worker.view.active_id
        if message.session_id not in ("", active):
            raise SessionError(
                f"action.session_id: got '{message.session_id}'; the topic drives the active session '{active}', "
                "use ~/step or ~/imagine for others",
                ErrorCode.UNKNOWN_SESSION,
            )
        spec, now_ns = self._running.info.control, self._running.now_ns()
        (control,) = actions_to_controls(
            [message], spec, ControlSource.ACTION, received_s=time.monotonic(), received_ns=now_ns, field="action"
        )
        self._running.worker.put_control(control)

    def _seed(self, image: Rgb) -> None:
        if not self._running.config.start_on_image:
            raise LingbotError("input.start_on_image is false; call ~/start_session, or set it", ErrorCode.UNSUPPORTED)
        request = StartRequest(start_stamp_ns=self._running.now_ns(), image=image, replace_active=True)
        self._submit("seed_image", lambda live: live.start_session(request))

    def _on_prompt(self, message: String) -> None:
        self._submit("prompt", lambda live: live.set_prompt(message.data))

    def _submit(self, topic: str, call: Callable[[Any], object]) -> None:
        pending = self._running.worker.submit(call)
        pending.add_done_callback(lambda done: self._refuse(topic, done.exception()) if done.exception() else None)

    def _refuse(self, topic: str, error: Any) -> None:
        self._running.worker.statistics.add_rejected()
        self._running.refuse(topic, error)
