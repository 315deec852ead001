"""The executable `imagination`: one imagination node until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence

from lingbot_ros.errors import InputError
from lingbot_ros.home import provide_ros_home
from lingbot_ros.nodes.end_signals import EndSignals

# Callbacks only check and store, so that a few threads are enough; none is held while the model works, except the one
# in which a lifecycle transition loads or frees it.
EXECUTOR_THREADS = 4
_BAD_INPUT = 2


def main(args: Sequence[str] | None = None) -> int:
    """Spin until shutdown. The node starts unconfigured: launch, the command line or an operator configures it.

    Returns 0, or 2 when the ROS arguments cannot be used; a line on stderr says which and why.
    """
    signals = EndSignals()
    try:
        _run(signals, sys.argv if args is None else args)
    except InputError as error:
        print(f"imagination: {error}", file=sys.stderr)
        return _BAD_INPUT
    finally:
        signals.close()
    return 0


def _run(signals: EndSignals, args: Sequence[str]) -> None:
    # Imported under the eyes of `signals`: this takes seconds, in which a launch may be stopped.
    import rclpy  # noqa: PLC0415
    from rclpy.executors import ExternalShutdownException  # noqa: PLC0415
    from rclpy.signals import SignalHandlerOptions  # noqa: PLC0415

    from lingbot_ros.nodes.executor import PooledExecutor  # noqa: PLC0415
    from lingbot_ros.nodes.imagination.node import ImaginationNode  # noqa: PLC0415
    from lingbot_ros.nodes.parameter_files import parameter_files, useless_file  # noqa: PLC0415

    if signals.asked:
        return
    if sentence := provide_ros_home():
        print(f"imagination: {sentence}", file=sys.stderr)
    try:
        rclpy.init(args=list(args), signal_handler_options=SignalHandlerOptions.NO)
    except (RuntimeError, ValueError) as error:  # rclpy's RCLError, UnknownROSArgsError and their like
        reason = str(error).partition(", at /")[0]
        raise InputError("--ros-args", " ".join(args[1:]), f"ROS cannot use them: {reason}") from error
    executor = PooledExecutor(EXECUTOR_THREADS)
    try:
        node = ImaginationNode()
    except BaseException:
        rclpy.try_shutdown()
        raise
    for path in parameter_files(args):
        if sentence := useless_file(path, node.get_fully_qualified_name()):
            node.get_logger().warning(sentence)
    executor.add_node(node)
    signals.on_first(node.context.try_shutdown)
    try:
        executor.spin()
    except ExternalShutdownException:
        pass
    except RuntimeError:  # rclpy's RCLError: the signal came while the executor was preparing to wait
        if rclpy.ok():
            raise
    finally:
        node.stop()
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
