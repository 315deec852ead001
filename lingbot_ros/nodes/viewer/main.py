"""The executable `viewer`: a page for an imagination node of the same namespace, until SIGINT or SIGTERM."""

import sys
from collections.abc import Callable, Sequence

from rclpy.node import Node

from lingbot_ros.nodes.declared import declare, values_of
from lingbot_ros.nodes.executable import ros, told, warn_of_useless_files
from lingbot_ros.nodes.parameter import Parameter
from lingbot_ros.nodes.viewer.backend import FirstWorld, ImaginationBackend
from lingbot_ros.nodes.viewer.link import ImaginationLink
from lingbot_ros.viewer.serve import DEFAULT_PORT, Address, serve

PARAMETERS = (
    Parameter("host", "127.0.0.1", "address that the page is served at; 127.0.0.1 = to this machine only"),
    Parameter("port", DEFAULT_PORT, "port of the page; 0 = any free one", 0, 65535),
    Parameter("imagination", "imagination", "name of the imagination node, relative to the viewer's namespace"),
)


def main(args: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; uvicorn owns the signals.

    Returns 0, 1 where the page could not be served, or 2 when the ROS arguments or a parameter cannot be used.
    """
    return told("viewer", lambda: _run(sys.argv if args is None else args))


def _run(args: Sequence[str]) -> None:
    with ros("viewer", args):
        node = Node("viewer")
        try:
            warn_of_useless_files(node, args)
            declare(node, PARAMETERS)
            values = values_of(node, PARAMETERS)
            view(node, Address(values["host"], values["port"]), values["imagination"])
        finally:
            node.destroy_node()


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
