"""The machine: processor, memory, disk, kernel settings and the tools that compile."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lingbot_ros.cli.doctor.finding import Finding, note, ok, problem
from lingbot_ros.environment.machine import OLDEST_CMAKE, cmake, compiler

_FREE_DISK_GB = 1.0
_RECEIVE_BUFFER_BYTES = 2_097_152
"""Enough for a raw 640x480 image in one burst of UDP fragments. The default of Linux is 212992."""


def check_machine(root: Path) -> Iterator[Finding]:
    """Check the machine. `root`: the folder whose disk is checked."""
    yield ok("processor", f"{platform.machine()}, {usable_cpus()} CPU threads usable, load {os.getloadavg()[0]:.1f}")
    yield _check_disk(root)
    yield _check_receive_buffer(Path("/proc/sys/net/core/rmem_max"))
    yield from _check_build_tools()


def usable_cpus() -> int:
    """CPUs that this process may use; in a container they can be fewer than the machine has."""
    return len(os.sched_getaffinity(0))


def _check_disk(root: Path) -> Finding:
    free_gb = shutil.disk_usage(root).free / 1e9
    found = f"{free_gb:.1f} GB free at {root}"
    if free_gb < _FREE_DISK_GB:
        return problem("disk", found, "free some space: recordings and snapshots will not fit")
    return ok("disk", found)


def _check_receive_buffer(setting: Path) -> Finding:
    try:
        size = int(setting.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return note("UDP receive buffer", f"{setting} cannot be read ({error})")
    found = f"net.core.rmem_max = {size}"
    if size < _RECEIVE_BUFFER_BYTES:
        return note(
            "UDP receive buffer",
            found,
            f"large images between machines can get lost: sudo sysctl -w net.core.rmem_max={_RECEIVE_BUFFER_BYTES}",
        )
    return ok("UDP receive buffer", found)


def _check_build_tools() -> Iterator[Finding]:
    path = compiler()
    if path is None:
        yield problem("C++ compiler", "none", "to build messages, install one, e.g. sudo apt install build-essential")
    else:
        said = subprocess.run(
            [path, "--version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
            encoding="utf-8",
            errors="replace",
        ).stdout
        yield ok("C++ compiler", said.partition("\n")[0] or path)
    path = cmake()
    oldest = ".".join(map(str, OLDEST_CMAKE))
    if path is None:
        yield note("cmake", f"no version {oldest} or later", "./lingbot installs its own when it builds messages")
    else:
        yield ok("cmake", path)
