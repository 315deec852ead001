"""Where the files that come with the package lie: `config/`, `models/`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path


def shared_folders(name: str) -> Iterator[Path]:
    """`name` in the source tree, then in the share folders of what is installed; they need not exist."""
    yield Path(__file__).parents[1] / name
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    yield from (Path(prefix) / "share" / "lingbot_ros" / name for prefix in [*prefixes, sys.prefix] if prefix)


def find_shared(*parts: str) -> Path:
    """The first of `parts` below those folders, e.g. ("config", "imagination.yaml"). Raises FileNotFoundError."""
    found = [folder.joinpath(*parts[1:]) for folder in shared_folders(parts[0])]
    for path in found:
        if path.exists():
            return path
    raise FileNotFoundError(f"{'/'.join(parts)} is not installed; looked at {', '.join(map(str, found))}")
