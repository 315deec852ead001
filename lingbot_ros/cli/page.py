"""Shared by `lingbot imagine --view` and `lingbot sim --view`: the page here, the node in a child process."""

import argparse
import sys
import time

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.nodes.client.node_process import NodeProcess
from lingbot_ros.nodes.viewer.backend import FirstWorld

_PACKAGES = ("starlette", "uvicorn", "websockets")


def require_page_packages() -> None:
    """Raises LingbotError that names the line to install them."""
    if not all(have(package) for package in _PACKAGES):
        raise LingbotError(
            "--view needs starlette, uvicorn and websockets: pip install 'lingbot_ros[viewer]'", ErrorCode.UNSUPPORTED
        )


def show_page(
    args: argparse.Namespace,
    node: Node,
    executor: SingleThreadedExecutor,
    process: NodeProcess,
    first_world: FirstWorld,
) -> None:
    """Serve until a signal, for `args.duration` seconds, or as long as the node runs. Raises LingbotError.

    args: has duration, host and port. first_world: see `ImaginationBackend`.
    """
    from lingbot_ros.nodes.viewer.view import view  # needs the packages
    from lingbot_ros.viewer.serve import Address

    started_s = time.monotonic()

    def ended() -> bool:
        over = args.duration is not None and time.monotonic() - started_s > args.duration
        return over or process.exit_code() is not None

    executor.remove_node(node)  # the page spins it
    view(node, Address(args.host, args.port), first_world=first_world, ended=ended)
    print("the page is closed", file=sys.stderr)
