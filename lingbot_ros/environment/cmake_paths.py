"""Correct the include folders in the CMake files that ROS 2 wheels install.

Interface wheels export targets that name the Python and NumPy include folders of the machine the wheel was built on.
A package that depends on them, such as `lingbot_msgs`, cannot be configured until they name folders of this machine.
"""

import os
import re
import tempfile
from pathlib import Path

_BUILDER = r"/opt/python/cp3\d+-cp3\d+"
_NUMPY_INCLUDE = re.compile(_BUILDER + r"/lib/python3\.\d+/site-packages/numpy/_core/include")
_PYTHON_INCLUDE = re.compile(_BUILDER + r"/include/python3\.\d+")


def correct_include_paths(share: Path, python_include: Path, numpy_include: Path) -> int:
    """Rewrite every `*.cmake` below `share`; returns how many files changed. A second call changes none."""
    return sum(_correct(file, python_include, numpy_include) for file in sorted(share.rglob("*.cmake")))


def _correct(file: Path, python_include: Path, numpy_include: Path) -> bool:
    text = file.read_text(encoding="utf-8")
    corrected = _NUMPY_INCLUDE.sub(lambda _: str(numpy_include), text)
    corrected = _PYTHON_INCLUDE.sub(lambda _: str(python_include), corrected)
    if corrected == text:
        return False
    # Written beside and renamed: pip may have hard-linked the file to a shared cache.
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as fresh:
        fresh.write(corrected)
    os.chmod(fresh.name, file.stat().st_mode)
    os.replace(fresh.name, file)
    return True
