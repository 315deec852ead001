"""The executable `viewer`: a page for an imagination node of the same namespace, until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence

from lingbot_ros.nodes.end_signals import EndSignals


def main(args: Sequence[str] | None = None) -> int:
    """Serve until a signal comes. Returns 0, or 1 when the page cannot be served."""
    signals = EndSignals()
    try:
        return _run(signals, args)
    finally:
        signals.close()


def _run(signals: EndSignals, args: Sequence[str] | None) -> int:
    # Imported under the eyes of `signals`: this takes seconds, in which a launch may be stopped.
    import rclpy  # noqa: PLC0415
    from rclpy.node import Node  # noqa: PLC0415
    from rclpy.signals import SignalHandlerOptions  # noqa: PLC0415

    from lingbot_ros.errors import LingbotError  # noqa: PLC0415
    from lingbot_ros.nodes.viewer.view import view  # noqa: PLC0415
    from lingbot_ros.viewer.serve import DEFAULT_PORT, Address  # noqa: PLC0415

    if signals.asked:
        return 0
    rclpy.init(args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
    node = Node("viewer")
    host = str(node.declare_parameter("host", "127.0.0.1").value)
    port = int(node.declare_parameter("port", DEFAULT_PORT).value)
    imagination = str(node.declare_parameter("imagination", "imagination").value)
    try:
        # While it serves, uvicorn owns the signals; `asked` is for those that come before.
        view(node, Address(host, port), imagination, ended=lambda: signals.asked)
    except LingbotError as error:
        node.get_logger().error(str(error))
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
