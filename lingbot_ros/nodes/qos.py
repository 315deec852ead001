"""Quality of service of the imagination node's topics: publish strong, subscribe as the stream needs."""

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from lingbot_ros.runtime.enums import Mode


def reliable(depth: int) -> QoSProfile:
    """Reliable, volatile, the last `depth` messages."""
    return QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def latched(depth: int = 1) -> QoSProfile:
    """The last messages reach those who come later."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )


_LEAST_CALLS = 1000
# Best effort loses raw frames that exceed the transport's segment; deep queues of images only add latency.
IMAGE = reliable(2)
FRAME_INFO = reliable(10)
_LOCKSTEP_BYTES = 64 * 2**20
STATUS = reliable(10)
DIAGNOSTICS = reliable(10)
PROMPT_KEPT = latched()
"""For prompts that were published before the node came. It connects to publishers that keep theirs."""
PROMPT = reliable(10)
"""For those that come later, of any publisher."""
ANSWERS = reliable(_LEAST_CALLS)
"""Of clients: DDS shows each one the answers to all clients of a service, and a shallow queue loses its own."""

RESULT_TIMEOUT_S = 900
"""How long the result of a goal can be asked for after its end; rclpy's own 10 s are over while a robot reconnects."""


def frames(mode: Mode, frame_bytes: int) -> QoSProfile:
    """For images and what goes with them.

    In lockstep frames come as fast as they are computed and none may be lost, so that the publisher keeps those which a
    subscriber has not acknowledged yet; how many fit is a matter of memory.
    """
    return IMAGE if mode is Mode.REALTIME else reliable(max(2, min(_LOCKSTEP_BYTES // frame_bytes, 1000)))


def requests(limit: int) -> QoSProfile:
    """For services: as many calls at once as may wait, and as many again that are answered BUSY.

    A call beyond the depth would be dropped by DDS without a word to anybody, and its client would wait for ever.
    """
    return reliable(max(_LEAST_CALLS, 2 * limit))


def control(mode: Mode, capacity: int) -> QoSProfile:
    """Realtime wants the newest control only; lockstep wants every one."""
    return reliable(1) if mode is Mode.REALTIME else reliable(min(capacity, 1000))


def real_images(mode: Mode, capacity: int) -> QoSProfile:
    """Realtime wants recent images only; in lockstep a frame waits for its image, so that none may be lost."""
    return IMAGE if mode is Mode.REALTIME else reliable(capacity)


def joints(mode: Mode, capacity: int) -> QoSProfile:
    """Parts of one moment come back to back, of which a queue of one would lose the first."""
    return reliable(20) if mode is Mode.REALTIME else control(mode, capacity)


def ordered(mode: Mode, capacity: int) -> QoSProfile:
    """For poses, which lead through one another: none is skipped in realtime either, unless very many come."""
    return reliable(10) if mode is Mode.REALTIME else control(mode, capacity)
