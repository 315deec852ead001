"""ROS domains that no other test of this machine uses at once: each is held by a lock that ends with its process."""

import fcntl
import random
import tempfile
from collections import deque
from pathlib import Path
from typing import IO

# Below 102 the ports of a domain stay clear of those that Linux hands to outgoing connections.
_DOMAINS = range(60, 102)
# What a test starts by itself ends with the test, which borrows few.
_BORROWED_AT_ONCE = 8
_HELD: dict[int, IO[str]] = {}
_BORROWED: deque[int] = deque()


def take_domain() -> int:
    """A free domain, held until `give_back`. Raises RuntimeError where every domain is in use."""
    for domain in random.sample(_DOMAINS, len(_DOMAINS)):
        if domain not in _HELD and (lock := _lock(domain)):
            _HELD[domain] = lock
            return domain
    raise RuntimeError(f"every ROS domain of {_DOMAINS} is in use by tests: end those that were left running")


def give_back(domain: int) -> None:
    """Let other tests have the domain."""
    _HELD.pop(domain).close()


def borrow_domain() -> int:
    """A domain for what a test starts and ends itself; given back after some more have been borrowed."""
    while len(_BORROWED) >= _BORROWED_AT_ONCE:
        give_back(_BORROWED.popleft())
    _BORROWED.append(take_domain())
    return _BORROWED[-1]


def _lock(domain: int) -> IO[str] | None:
    lock = (Path(tempfile.gettempdir()) / f"lingbot_ros_test_domain_{domain}.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
