"""`/clock`: imagined time, for every node that runs with use_sim_time."""

import threading

from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from lingbot_ros.bridge.stamps import to_time
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.imagination.context import NodeContext
from lingbot_ros.nodes.imagination.recording import Recording
from lingbot_ros.runtime.records import FrameRecord
from lingbot_ros.runtime.simulation import SESSION

_PERIOD_S = 0.1


class SimulatorClock:
    """Says the time of the last published frame with each frame, and again every 0.1 s for those who come late.

    It stands while the simulation is paused, and goes back only when somebody asks for it.
    """

    def __init__(self, running: NodeContext, recording: Recording) -> None:
        """Raises LingbotError when this node follows a clock itself, or somebody else publishes one."""
        self._node, self._recording = running.node, recording
        if self._node.get_parameter("use_sim_time").value:
            raise LingbotError(
                "use_sim_time: it is true, but with simulator.enabled this node gives the time; set one to false",
                ErrorCode.INVALID_INPUT,
            )
        others = self._node.get_publishers_info_by_topic("/clock")
        if others:
            raise LingbotError(
                f"/clock: {others[0].node_namespace}/{others[0].node_name} publishes it already, and there is one time "
                "only: end that node, or set simulator.enabled to false",
                ErrorCode.BUSY,
            )
        profile = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
        self._publisher = self._node.create_publisher(Clock, "/clock", profile)
        self._lock = threading.Lock()
        self._now_ns = 0
        self._timer = self._node.create_timer(_PERIOD_S, self._say, callback_group=running.timers)

    def on_frame(self, record: FrameRecord) -> None:
        """Any thread."""
        if record.session_id == SESSION:
            self._set(record.stamp_ns)

    def set_back(self) -> None:
        """A reset of time, or another world."""
        self._set(0)

    def destroy(self) -> None:
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._publisher)

    def _set(self, now_ns: int) -> None:
        with self._lock:
            self._now_ns = now_ns
        self._say()

    def _say(self) -> None:
        with self._lock:
            message = Clock(clock=to_time(self._now_ns))
            self._publisher.publish(message)
        self._recording.put("/clock", message)
