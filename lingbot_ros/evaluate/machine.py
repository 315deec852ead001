"""What a report was made on and with."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lingbot_ros import __version__

if TYPE_CHECKING:
    from lingbot_ros.world import World

_PACKAGES = (
    "torch",
    "numba",
    "onnxruntime",
    "tensorrt",
    "tensorrt_rtx",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
)


def describe_machine() -> dict[str, str | int | float]:
    """The processor's name, its logical cores, the system, and how many programs wanted a core in the last minute."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 1),
    }


def describe_versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Versions of this project, Python and the packages that decide a figure; absent ones are left out.

    `more` packages: those of a task's simulator.
    """
    found = {"lingbot_ros": __version__, "python": platform.python_version()}
    for name in (*_PACKAGES, *more):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def describe_model(world: "World") -> dict[str, Any]:
    """The model and what ran it, as JSON values."""
    weights = world.card.weights
    return {
        "name": world.info.name,
        "weights_sha256": weights.sha256,
        "weights_bytes": weights.bytes,
        "parameters": world.info.parameters,
        **asdict(world.info.engine),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
