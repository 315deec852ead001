"""The process in which a policy plays that needs another Python environment."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.contract import PolicyGoneError

_WORKER = Path(__file__).with_name("worker.py")
_OTHERS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would show this environment's packages to the other Python."""

_TAIL_BYTES = 4000
_CHECK_S = 60
_DYING_S = 2


@dataclass(frozen=True)
class Order:
    """What a worker plays: the function `module:factory`, its keywords, and a folder in which the module may lie."""

    python: Path
    entry_point: str
    config: Mapping[str, Any]
    folder: Path

    def words(self, *options: str) -> list[str]:
        said = {"entry_point": self.entry_point, "config": dict(self.config), "folder": str(self.folder.resolve())}
        return [str(self.python), str(_WORKER), *options, json.dumps(said)]

    def check(self) -> None:
        """Raises InputError if that Python cannot be run or lacks something."""
        try:
            done = subprocess.run(
                self.words("--check"),
                env=_environment(),
                capture_output=True,
                text=True,
                timeout=_CHECK_S,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            fix = f"give the Python of an environment, e.g. ../lerobot-env/bin/python ({error})"
            raise InputError("python", self.python, fix) from error
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it ends without a word"]
            raise InputError("python", self.python, said[-1])


class Worker:
    """A worker that is started when it is first needed, and again if it died."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._port = 0
        self._never_began: str | None = None

    def address(self) -> str:
        """Where it listens. Raises PolicyGoneError, with the worker's last words, if it ends before it does.

        A worker that never came up is not tried again.
        """
        if self._never_began is not None:
            raise PolicyGoneError(self._never_began)
        if self._process is None or self._process.poll() is not None:
            self._start()
        return f"ws://127.0.0.1:{self._port}"

    def last_words(self) -> str:
        """How the worker ended and the last line that it wrote, if it has ended."""
        if self._process is None or self._log is None:
            return ""
        try:
            self._process.wait(_DYING_S)  # its connections break before it is gone
        except subprocess.TimeoutExpired:
            return ""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(size - _TAIL_BYTES, 0))
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"its process ended with exit code {self._process.returncode}" + (f": {lines[-1]}" if lines else "")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _start(self) -> None:
        first = self._process is None
        self.close()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            self._order.words(),
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            self._process.wait()
            if first:
                self._never_began = self.last_words()
            raise PolicyGoneError(self.last_words())
        self._port = int(json.loads(told)["port"])


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OTHERS}
