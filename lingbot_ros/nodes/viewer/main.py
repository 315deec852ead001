"""The executable `viewer`: a page for an imagination node of the same namespace, until SIGINT or SIGTERM."""

import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from lingbot_ros.errors import LingbotError
from lingbot_ros.nodes.viewer.backend import FirstWorld, ImaginationBackend
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.serve import DEFAULT_PORT, Address, serve


def main(args: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; uvicorn owns the signals."""
    rclpy.init(args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
    node = Node("viewer")
    host = str(node.declare_parameter("host", "127.0.0.1").value)
    port = int(node.declare_parameter("port", DEFAULT_PORT).value)
    imagination = str(node.declare_parameter("imagination", "imagination").value)
    try:
        view(node, Address(host, port), imagination)
    except LingbotError as error:
        node.get_logger().error(str(error))
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def view(
    node: Node,
    address: Address,
    imagination: str = "imagination",
    first_world: FirstWorld | None = None,
    ended: Callable[[], bool] = lambda: False,
) -> None:
    """Serve the page of an imagination node over `node`, which is on no executor, until a signal or `ended()`.

    first_world: what to start; None = show the session that the node has. Raises LingbotError.
    """
    link = ImaginationLink(node, imagination)
    try:
        serve(ImaginationBackend(link, first_world), address, lambda url: print(f"open {url}", flush=True), ended)
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main())
