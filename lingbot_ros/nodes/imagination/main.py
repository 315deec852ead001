"""The executable `imagination`: one imagination node until SIGINT or SIGTERM."""

import sys
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException

from lingbot_ros.nodes.executor import PooledExecutor
from lingbot_ros.nodes.imagination.node import ImaginationNode

# Callbacks only check and store, so that a few threads are enough; none is held while the model works, except the one
# in which a lifecycle transition loads or frees it.
EXECUTOR_THREADS = 4


def main(args: Sequence[str] | None = None) -> int:
    """Spin until told to end. The node starts unconfigured: launch, the command line or an operator configures it."""
    rclpy.init(args=list(args) if args is not None else None)
    executor = PooledExecutor(EXECUTOR_THREADS)
    node = ImaginationNode()
    executor.add_node(node)
    try:
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:  # rclpy's RCLError: the signal came while the executor was preparing to wait
        if rclpy.ok():
            raise
    finally:
        node.stop()
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
