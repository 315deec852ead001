"""What /tf and /tf_static say, for poses and velocities that are given in other frames."""

from tf2_msgs.msg import TFMessage

from lingbot_ros.bridge.transforms import edge_of
from lingbot_ros.control.frames import plain_frame
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.imagination.context import NodeContext


class TransformInputs:
    """Fills `running.frames`. Active in every lifecycle state, because static transforms are published only once."""

    def __init__(self, running: NodeContext) -> None:
        self._running = running
        self._subscriptions = [
            running.node.create_subscription(
                TFMessage,
                topic,
                lambda message, static=static: self._on_transforms(message, static),
                profile,
                callback_group=running.inputs,
            )
            for topic, static, profile in (("/tf", False, qos.reliable(100)), ("/tf_static", True, qos.latched(100)))
        ]

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._running.node.destroy_subscription(subscription)

    def _on_transforms(self, message: TFMessage, static: bool) -> None:
        own = self._running.config.inputs.tf_prefix
        for transform in message.transforms:
            if own and plain_frame(transform.child_frame_id).startswith(own):
                continue  # the imagined camera's own
            try:
                self._running.frames.put(transform.child_frame_id, edge_of(transform, static=static))
            except Exception as error:  # one bad transform must not cost the others, nor the executor
                self._running.refuse("/tf_static" if static else "/tf", error)
