"""Show that a long command is alive: stage, elapsed time and what it is doing now."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TICK_S = 1.0
_QUIET_TICK_S = 20.0
"""Between two lines where the output is a file, in which a line cannot be overwritten."""
_GRACE_S = 5.0
_LOG_COLUMNS = 120
"""pip names every package that it installs in one line of thousands of characters."""


class Progress:
    """One stage's line on stderr, overwritten in a terminal and repeated now and then in a log."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._start = time.monotonic()
        self._live = sys.stderr.isatty()
        self._next_line_s = _QUIET_TICK_S
        self._show("" if self._live else "...")

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start

    def tick(self, detail: str) -> None:
        """Show what is being done now."""
        if self._live:
            self._show(detail)
        elif self.elapsed_s >= self._next_line_s:
            self._next_line_s = self.elapsed_s + _QUIET_TICK_S
            self._show(detail)

    def note(self, sentence: str) -> None:
        """A line of its own that stays."""
        print(f"{chr(10) if self._live else ''}lingbot: {sentence}", file=sys.stderr, flush=True)

    def end(self, outcome: str) -> None:
        """Close the line, e.g. with `done`."""
        self._show(outcome)
        if self._live:
            print(file=sys.stderr, flush=True)

    def _show(self, detail: str) -> None:
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        line = f"{self._label}  {minutes}:{seconds:02d}  {detail}".rstrip()
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{line[:width]:<{width}}", end="", file=sys.stderr, flush=True)
        else:
            print(line[:_LOG_COLUMNS], file=sys.stderr, flush=True)


def run_with_progress(
    command: Sequence[str | os.PathLike[str]], progress: Progress, log: Path, environment: dict[str, str], lock: int
) -> tuple[int, str]:
    """Run a command to its end and return its exit code and output, which also goes to `log` as it comes.

    The command inherits the lock's descriptor. An interruption of this process ends the command as well.
    """
    lines: list[str] = []
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=(lock,),
            text=True,
            errors="replace",
            encoding="utf-8",
        )

        def collect() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                file.write(line)
                file.flush()
                lines.append(line)

        reader = threading.Thread(target=collect, daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                reader.join(_TICK_S)
                progress.tick(next((line.strip() for line in reversed(lines) if _is_news(line)), ""))
            return process.wait(), "".join(lines)
        finally:
            end_process(process)
            reader.join(_GRACE_S)


def _is_news(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("WARNING")


def end_process(process: "subprocess.Popen[Any]", patience_s: float = _GRACE_S) -> None:
    """Ask it to end by SIGTERM, and kill it where it has not ended after `patience_s`."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
