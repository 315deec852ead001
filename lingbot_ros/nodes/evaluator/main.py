"""The executable `evaluator`: one evaluator node until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lingbot_ros.nodes.executable import run_node

if TYPE_CHECKING:
    from lingbot_ros.nodes.evaluator.node import EvaluatorNode


def main(args: Sequence[str] | None = None) -> int:
    """Spin until shutdown. The node starts unconfigured: launch, the command line or an operator configures it."""
    return run_node("evaluator", _load, args)


def _load() -> "type[EvaluatorNode]":
    from lingbot_ros.nodes.evaluator.node import EvaluatorNode  # noqa: PLC0415 - takes seconds

    return EvaluatorNode


if __name__ == "__main__":
    sys.exit(main())
