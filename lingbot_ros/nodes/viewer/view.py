"""The page of an imagination node, over a node of this process."""

from collections.abc import Callable

from rclpy.node import Node

from lingbot_ros.nodes.viewer.backend import FirstWorld, ImaginationBackend
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.serve import Address, serve


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
