"""The executable `viewer`: a page for an imagination node of the same namespace, until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence

from lingbot_ros.nodes.end_signals import EndSignals
from lingbot_ros.nodes.executable import ros, told, warn_of_useless_files


def main(args: Sequence[str] | None = None) -> int:
    """Serve until a signal comes.

    Returns 0, 1 where the page could not be served, or 2 when the ROS arguments or a parameter cannot be used.
    """
    signals = EndSignals()
    try:
        return told("viewer", lambda: _run(sys.argv if args is None else args, signals))
    finally:
        signals.close()


def _run(args: Sequence[str], signals: EndSignals) -> None:
    # This takes seconds, in which a launch may be stopped.
    with signals.nothing_begun():
        from rclpy.node import Node  # noqa: PLC0415

        from lingbot_ros.nodes.declared import declare, values_of  # noqa: PLC0415
        from lingbot_ros.nodes.viewer.parameters import PARAMETERS  # noqa: PLC0415
        from lingbot_ros.nodes.viewer.view import view  # noqa: PLC0415
        from lingbot_ros.viewer.serve import Address  # noqa: PLC0415

    with ros("viewer", args):
        node = Node("viewer")
        try:
            warn_of_useless_files(node, args)
            declare(node, PARAMETERS)
            values = values_of(node, PARAMETERS)
            address = Address(values["host"], values["port"])
            # While it serves, uvicorn owns the signals; `asked` is for those that come before.
            view(node, address, values["imagination"], ended=lambda: signals.asked)
        finally:
            node.destroy_node()


if __name__ == "__main__":
    sys.exit(main())
