"""DDS programs of other users on this machine: they are discovered, and no message crosses."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_PATTERNS = ("fastdds_*", "fastrtps_*")
_TRANSPORTS, _RANGE, _PROFILE = (
    "FASTDDS_BUILTIN_TRANSPORTS",
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "FASTDDS_DEFAULT_PROFILES_FILE",
)
_WITHOUT_SHARED_MEMORY = "fastdds_localhost_udp.xml"
ADVICE = (
    "Fast DDS sends between programs of one machine by shared memory, which one user cannot write for another: run "
    f"both as one user, or set {_TRANSPORTS}=UDPv4 for both"
)


def other_users(folder: Path = _SHARED_MEMORY, user: int | None = None) -> list[str]:
    """Names of users, other than `user` (default: this process's), whose DDS programs have shared memory here."""
    own = os.getuid() if user is None else user
    owners = set()
    for pattern in _PATTERNS:
        for path in folder.glob(pattern):
            try:
                owners.add(path.stat().st_uid)
            except FileNotFoundError:  # its program has just ended
                continue
    return sorted(map(_name, owners - {own}))


def crosses_users(variables: Mapping[str, str]) -> bool:
    """Whether this process does without shared memory. For this machine alone, ROS 2 ignores a choice of transports."""
    if Path(variables.get(_PROFILE, "")).name == _WITHOUT_SHARED_MEMORY:
        return True
    return variables.get(_TRANSPORTS, "").startswith("UDP") and variables.get(_RANGE) != "LOCALHOST"


def hint() -> str:
    """A sentence for whoever waits in vain for a message; empty where every DDS program here is this user's."""
    users = other_users()
    if not users or crosses_users(os.environ):
        return ""
    return f" ROS programs of {', '.join(users)} run on this machine: {ADVICE}."


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:  # containers often know no name
        return f"user {user}"
