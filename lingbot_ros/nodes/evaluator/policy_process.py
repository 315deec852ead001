"""A policy's own program: started for it, watched, and ended with the evaluation."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lingbot_ros.errors import InputError

_END_S = 5.0
_TAIL_BYTES = 4000


class PolicyProcess:
    """Runs one command at a time, in a process group of its own, with its output in a file."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        """folder: where it runs. `python` as the program is the Python of this process."""
        own = [sys.executable, *command[1:]] if command[0] in ("python", "python3") else list(command)
        self._command, self._folder = own, folder
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this object
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        """Start it, if it does not run. Raises InputError for a program that is not there."""
        if self._process is not None and self._process.poll() is None:
            return
        self._output.truncate(0)
        try:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=self._output, stderr=self._output, start_new_session=True
            )
        except OSError as error:
            raise InputError("ros.command", self._command[0], f"give a program that can be run ({error})") from error

    def ended(self) -> str:
        """How it ended, with the last line that it wrote; empty while it runs."""
        code = None if self._process is None else self._process.poll()
        if code is None:
            return ""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - _TAIL_BYTES))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return f"its process ended with code {code}" + (f": {lines[-1]}" if lines else "")

    def end(self) -> None:
        """SIGINT, then SIGKILL; also to whatever it has started."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None
