"""The user's home folder, which services and containers may lack."""

import os
import tempfile
from pathlib import Path

from lingbot_ros.errors import InputError


def expanded(path: str | os.PathLike[str], field: str) -> Path:
    """`path` with `~` replaced. Raises InputError where this user has no home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(field, f"'{path}'", "set HOME, or give a path without ~") from error


def ros_home() -> Path:
    """$ROS_HOME, else ~/.ros, else a folder of this user among the temporary files. Nothing is made."""
    if named := os.environ.get("ROS_HOME"):
        return expanded(named, "ROS_HOME")
    try:
        return Path("~/.ros").expanduser()
    except RuntimeError:
        return _spare()


def provide_ros_home() -> str | None:
    """Set ROS_HOME where ROS could not write its logs, since it would not start; returns a sentence that says so."""
    if os.environ.get("ROS_HOME"):
        return None
    home, spare = ros_home(), _spare()
    if home != spare and _can_hold_logs(home):
        if not os.environ.get("HOME"):
            os.environ["ROS_HOME"] = str(home)  # Python asks the list of users, ROS does not
        return None
    os.environ["ROS_HOME"] = str(spare)
    return f"no home folder that can be written: logs, bags and snapshots go to {spare}; set HOME or ROS_HOME"


def cache_home() -> Path:
    """$XDG_CACHE_HOME, else ~/.cache, else a folder of this user among the temporary files. Nothing is made."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return expanded(named, "XDG_CACHE_HOME")
    try:
        return Path("~/.cache").expanduser()
    except RuntimeError:
        return _spare() / "cache"


def _spare() -> Path:
    return Path(tempfile.gettempdir()) / f"ros_of_user_{os.getuid()}"


def _can_hold_logs(home: Path) -> bool:
    try:
        (home / "log").mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(home / "log", os.W_OK)
