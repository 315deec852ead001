"""What the machine must have before the environment can be made; each lack is one sentence that says what to do."""

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

CPU_SPACE_GB = 4
CUDA_SPACE_GB = 14
CUDA_DOWNLOAD_GB = 3
_UNUSABLE = re.compile(r"[^A-Za-z0-9 /._+@=,~-]")
"""CMake and the generators of ROS write paths into makefiles and Python code without quoting such characters."""
OLDEST_CMAKE = (3, 20)


def missing_for_packages(folder: Path) -> list[str]:
    """What prevents packages from being installed below `folder`."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    lacks = []
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        lacks.append(
            f"Python {version} at {sys.executable} cannot make virtual environments: install its venv module "
            f"(Debian, Ubuntu: sudo apt install python{version}-venv)"
        )
    if odd := _UNUSABLE.search(str(folder)):
        lacks.append(
            f"the path {str(folder)!r} has the character {odd[0]!r}, with which ROS messages cannot be built: clone "
            "below a path of ASCII letters, digits, spaces and . _ - + @ = , ~"
        )
    if not os.access(folder, os.W_OK):
        lacks.append(f"no permission to write in {folder}: clone into a folder of your own")
    needed_gb = CUDA_SPACE_GB if nvidia_driver() is not None else CPU_SPACE_GB
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < needed_gb:
        lacks.append(
            f"{free_gb:.1f} GB free on the disk of {folder}, {needed_gb} GB needed: free some space or clone elsewhere"
        )
    return lacks


def missing_for_messages() -> list[str]:
    """What prevents the ROS messages from being compiled."""
    lacks = []
    if compiler() is None:
        lacks.append(
            "no C++ compiler found ($CXX, c++, g++, clang++): install one "
            "(Debian, Ubuntu: sudo apt install build-essential; Fedora: sudo dnf install gcc-c++ make)"
        )
    if shutil.which("make") is None:
        lacks.append("no make found: install it (Debian, Ubuntu: sudo apt install make; Fedora: sudo dnf install make)")
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        lacks.append(
            f"no {header}: install Python's headers "
            f"(Debian, Ubuntu: sudo apt install python{version}-dev; Fedora: sudo dnf install python{version}-devel)"
        )
    return lacks


def compiler() -> str | None:
    """The C++ compiler that CMake will take."""
    candidates = (os.environ.get("CXX", ""), "c++", "g++", "clang++")
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def cmake(search_path: str | None = None) -> str | None:
    """A CMake that is new enough, or None."""
    path = shutil.which("cmake", path=search_path)
    if path is None:
        return None
    said = subprocess.run(
        [path, "--version"], check=False, capture_output=True, text=True, timeout=30, encoding="utf-8", errors="replace"
    ).stdout
    found = re.search(r"version (\d+)\.(\d+)", said)
    return path if found and (int(found[1]), int(found[2])) >= OLDEST_CMAKE else None


def nvidia_driver() -> int | None:
    """The CUDA version that the NVIDIA driver supports, e.g. 13000, or None where no driver answers."""
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int(0)
    if library.cuInit(0) != 0 or library.cuDriverGetVersion(ctypes.byref(version)) != 0:
        return None
    return version.value
