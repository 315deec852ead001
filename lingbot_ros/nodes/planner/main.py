"""The executable `planner`: one planner node until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lingbot_ros.nodes.executable import run_node

if TYPE_CHECKING:
    from lingbot_ros.nodes.planner.node import PlannerNode


def main(args: Sequence[str] | None = None) -> int:
    """Spin until shutdown. The node starts unconfigured: launch, the command line or an operator configures it."""
    return run_node("planner", _load, args)


def _load() -> "type[PlannerNode]":
    from lingbot_ros.nodes.planner.node import PlannerNode  # noqa: PLC0415 - takes seconds

    return PlannerNode


if __name__ == "__main__":
    sys.exit(main())
