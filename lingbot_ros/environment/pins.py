"""Lists of requirements: which lines are for this Python, and whether they are installed."""

import re
import sys
from collections.abc import Iterable
from importlib.metadata import distributions
from pathlib import Path

_MARKER = re.compile(r'python_version\s*(<|<=|>|>=|==|!=)\s*"(\d+)\.(\d+)"')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_pins(path: Path, version: tuple[int, int] = sys.version_info[:2]) -> list[str]:
    """The requirements of a list that are for this version of Python, without comments and markers."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    parts = (line.partition(";") for line in lines if line)
    return [requirement.strip() for requirement, _, marker in parts if _applies(marker, version)]


def not_installed(pins: Iterable[str], site_packages: Path) -> list[str]:
    """Those of `pins` that a folder of packages does not hold in their version; builds such as +cpu are the same."""
    found = {_normal(d.metadata["Name"]): d.version.partition("+")[0] for d in distributions(path=[str(site_packages)])}
    missing = []
    for pin in pins:
        name, _, version = pin.partition("==")
        installed = found.get(_normal(_NAME.match(name)[0]))  # type: ignore[index]
        if installed is None or (version and installed != version.strip()):
            missing.append(pin)
    return missing


def _applies(marker: str, version: tuple[int, int]) -> bool:
    """Of our own lists, whose markers are comparisons of python_version joined by `and`."""
    tests = {"<": version.__lt__, "<=": version.__le__, ">": version.__gt__, ">=": version.__ge__}
    tests |= {"==": version.__eq__, "!=": version.__ne__}
    return all(tests[how]((int(major), int(minor))) for how, major, minor in _MARKER.findall(marker))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
