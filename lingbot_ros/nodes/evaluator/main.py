"""The executable `evaluator`: one evaluator node until SIGINT, SIGTERM or SIGHUP."""

import sys
from collections.abc import Sequence

from lingbot_ros.nodes.end_signals import EndSignals

# Callbacks only check and hand over to threads of the node, so that a few are enough; none is held while a model works,
# except the one in which a lifecycle transition loads or frees it.
EXECUTOR_THREADS = 4


def main(args: Sequence[str] | None = None) -> int:
    """Spin until shutdown. The node starts unconfigured: launch, the command line or an operator configures it."""
    signals = EndSignals()
    try:
        _run(signals, args)
    finally:
        signals.close()
    return 0


def _run(signals: EndSignals, args: Sequence[str] | None) -> None:
    # Imported under the eyes of `signals`: this takes seconds, in which a launch may be stopped.
    import rclpy  # noqa: PLC0415
    from rclpy.executors import ExternalShutdownException  # noqa: PLC0415
    from rclpy.signals import SignalHandlerOptions  # noqa: PLC0415

    from lingbot_ros.nodes.evaluator.node import EvaluatorNode  # noqa: PLC0415
    from lingbot_ros.nodes.executor import PooledExecutor  # noqa: PLC0415

    if signals.asked:
        return
    rclpy.init(args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO)
    executor = PooledExecutor(EXECUTOR_THREADS)
    node = EvaluatorNode()
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
