"""The executable `agent`: one agent node until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lingbot_ros.nodes.executable import run_node

if TYPE_CHECKING:
    from lingbot_ros.nodes.agent.node import AgentNode


def main(args: Sequence[str] | None = None) -> int:
    """Spin until shutdown. The node starts unconfigured: launch, the command line or an operator configures it."""
    return run_node("agent", _load, args)


def _load() -> "type[AgentNode]":
    from lingbot_ros.nodes.agent.node import AgentNode  # noqa: PLC0415 - takes seconds

    return AgentNode


if __name__ == "__main__":
    sys.exit(main())
