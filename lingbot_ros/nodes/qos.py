"""Quality of service of the imagination node's topics: publish strong, subscribe as the stream needs."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from lingbot_ros.live.codes import Mode


def reliable(depth: int) -> QoSProfile:
    """Reliable, volatile, the last `depth` messages."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def latched() -> QoSProfile:
    """The last message reaches those who come later."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=1,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


# Best effort loses raw frames that exceed the transport's segment; deep queues of images only add latency.
IMAGE = reliable(2)
FRAME_INFO = reliable(10)
STATUS = reliable(10)
DIAGNOSTICS = reliable(10)
PROMPT = latched()


def control(mode: Mode, capacity: int) -> QoSProfile:
    """Realtime wants the newest control only; lockstep wants every one."""
    return reliable(1) if mode is Mode.REALTIME else reliable(min(capacity, 1000))
