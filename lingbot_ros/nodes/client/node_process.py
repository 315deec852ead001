"""A node of this project as a process of its own, which never outlives the one that started it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

from lingbot_ros.environment.interpreter import isolated_module
from lingbot_ros.home import provide_ros_home

_PR_SET_PDEATHSIG = 1
_SIGINT_S, _SIGTERM_S = 5.0, 2.0


class NodeProcess:
    """Context manager: starts the node with ROS arguments, ends it with SIGINT and, if it must be, harder.

    kind: imagination or evaluator. Start it before anything in this process has made threads. The node's log goes to
    this process's stderr.
    """

    def __init__(self, ros_arguments: Sequence[str], kind: str = "imagination") -> None:
        # Isolated: a yaml.py in the working directory is not the node's.
        module = "lingbot_ros.nodes.main" if kind == "imagination" else f"lingbot_ros.nodes.{kind}.main"
        self._command = [sys.executable, *isolated_module(module, "--ros-args", *ros_arguments)]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "NodeProcess":
        if sentence := provide_ros_home():
            print(f"lingbot: {sentence}", file=sys.stderr)
        parent = os.getpid()
        # A group of its own: Ctrl-C reaches this process only, which then ends the node in order.
        self._process = subprocess.Popen(
            self._command,
            stdout=sys.stderr,
            start_new_session=True,
            preexec_fn=lambda: _end_with_parent(parent),  # noqa: PLW1509 - safe here: no thread runs yet
        )
        return self

    def exit_code(self) -> int | None:
        """None while it runs."""
        return None if self._process is None else self._process.poll()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        for number, patience_s in ((signal.SIGINT, _SIGINT_S), (signal.SIGTERM, _SIGTERM_S)):
            if process.poll() is not None:
                return
            process.send_signal(number)
            try:
                process.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue
        process.kill()
        process.wait()


def _end_with_parent(parent: int) -> None:
    """In the child, before it becomes the node: Linux sends it SIGTERM when this process dies in whatever way.

    Not SIGINT: while Python begins, that is a KeyboardInterrupt, which is lost where a finaliser runs.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # what a script starts in the background inherits SIGINT as ignored
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before it could be asked
        os._exit(1)
