"""What a report was made on and with."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lingbot_ros import __version__

_PACKAGES = ("torch", "numpy", "gym-pusht", "pymunk", "pygame", "opencv-python", "opencv-python-headless")


def describe_machine() -> dict[str, str | int | float]:
    """The processor's name, its logical cores, the system, and how many programs wanted a core in the last minute."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
    }


def describe_versions() -> dict[str, str]:
    """Versions of this project, Python and the packages that decide a figure; absent ones are left out."""
    found = {"lingbot_ros": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
