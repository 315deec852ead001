"""What all executables share: bad ROS arguments are one sentence and exit code 2, and a signal ends them in order."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lingbot_ros.errors import InputError, LingbotError
from lingbot_ros.home import provide_ros_home
from lingbot_ros.nodes.end_signals import EndSignals

if TYPE_CHECKING:
    from rclpy.node import Node

    from lingbot_ros.nodes.reporting_node import ReportingNode


# Callbacks only check and store, so that a few threads are enough; none is held while a model works, except the one in
# which a lifecycle transition loads or frees it.
EXECUTOR_THREADS = 4
_FAILED, _BAD_INPUT = 1, 2


def run_node(name: str, load: "Callable[[], Callable[[], ReportingNode]]", args: Sequence[str] | None = None) -> int:
    """Spin a node until SIGINT, SIGTERM or SIGHUP, and return the exit code of its executable.

    name: of the executable. load: imports the node's module, which may take seconds, and gives what makes the node.
    args: the command line, program first; None = this process's. Returns 0, or 2 when the ROS arguments or a parameter
    cannot be used; a line on stderr says which and why.
    """
    signals = EndSignals()
    try:
        return told(name, lambda: _spin(name, load, sys.argv if args is None else args, signals))
    finally:
        signals.close()


def told(name: str, run: Callable[[], None]) -> int:
    """Call `run` and return 0, 2 after an InputError, or 1 after another LingbotError; stderr gets its sentence."""
    try:
        run()
    except LingbotError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return _BAD_INPUT if isinstance(error, InputError) else _FAILED
    return 0


@contextmanager
def ros(name: str, args: Sequence[str]) -> Iterator[None]:
    """ROS as `args` (a command line, program first) configure it, until the end of the block; signals are left alone.

    Raises InputError for arguments that ROS cannot use.
    """
    import rclpy  # noqa: PLC0415 - takes a second, in which a signal may come
    from rclpy.signals import SignalHandlerOptions  # noqa: PLC0415

    if sentence := provide_ros_home():
        print(f"{name}: {sentence}", file=sys.stderr)
    try:
        rclpy.init(args=list(args), signal_handler_options=SignalHandlerOptions.NO)
    except (RuntimeError, ValueError) as error:  # rclpy's RCLError, UnknownROSArgsError and their like
        reason = str(error).partition(", at /")[0]
        raise InputError("--ros-args", " ".join(args[1:]), f"ROS cannot use them: {reason}") from error
    try:
        yield
    finally:
        rclpy.try_shutdown()


def warn_of_useless_files(node: "Node", args: Sequence[str]) -> None:
    """Log the parameter files of the command line `args` that hold nothing for this node."""
    from lingbot_ros.nodes.parameter_files import parameter_files, useless_file  # noqa: PLC0415

    for path in parameter_files(args):
        if sentence := useless_file(path, node.get_fully_qualified_name()):
            node.get_logger().warning(sentence)


def _spin(
    name: str, load: "Callable[[], Callable[[], ReportingNode]]", args: Sequence[str], signals: EndSignals
) -> None:
    # This takes seconds, on a busy machine a minute, in which a launch may be stopped.
    with signals.nothing_begun():
        import rclpy  # noqa: PLC0415
        from rclpy.executors import ExternalShutdownException  # noqa: PLC0415

        from lingbot_ros.nodes.executor import PooledExecutor  # noqa: PLC0415

        make = load()
    with ros(name, args):
        executor = PooledExecutor(EXECUTOR_THREADS)
        node = make()
        warn_of_useless_files(node, args)
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
