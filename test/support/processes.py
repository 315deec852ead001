"""Whether a process that is not a child of the test has ended."""

import time
from pathlib import Path

from test.support.imagination import PATIENCE_S


def gone(pid: int) -> bool:
    """Whether a process has ended; one that only waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def ended_within_patience(pid: int) -> bool:
    """Waits for it."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not gone(pid) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    return gone(pid)
