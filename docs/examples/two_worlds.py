"""Two imagination nodes in one process, side by side under namespaces: `./lingbot python docs/examples/two_worlds.py`.

Each has a thread of its own for its world; they share this process's executor. Any other rclpy node can join them.
"""

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import TransitionCallbackReturn

from lingbot_ros.nodes.executable import EXECUTOR_THREADS
from lingbot_ros.nodes.executor import PooledExecutor
from lingbot_ros.nodes.imagination.node import ImaginationNode

NAMESPACES = ("left", "right")


def main() -> None:
    """Bring both up and spin until Ctrl-C; drive them on /left/action and /right/action."""
    rclpy.init()
    executor = PooledExecutor(EXECUTOR_THREADS)
    nodes = [ImaginationNode(namespace=namespace) for namespace in NAMESPACES]
    try:
        for node in nodes:
            executor.add_node(node)
            for transition in (node.trigger_configure, node.trigger_activate):
                if transition() is not TransitionCallbackReturn.SUCCESS:
                    return  # the node's log says what is wrong
            node.get_logger().info(f"{node.get_fully_qualified_name()} is active")
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except RuntimeError:  # the signal came while the executor was preparing to wait
        if rclpy.ok():
            raise
    finally:
        for node in nodes:
            node.stop()
            node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
