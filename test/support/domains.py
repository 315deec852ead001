"""ROS domains that no other test of this machine uses at the same time.

A test process takes a block of domains, by a lock that ends with it, and hands them out in turn; those of nodes that
run are not handed out again.
"""

import fcntl
import random
import tempfile
from collections import deque
from pathlib import Path
from typing import IO

# Below 102 the ports of a domain stay clear of those that Linux hands to outgoing connections.
_BLOCKS = [range(first, first + 10) for first in range(60, 100, 10)]
_HELD: list[IO[str]] = []
_FREE: deque[int] = deque()


def take_domain() -> int:
    """The domain of this process that was free for longest; it is free again after `give_back`."""
    if not _FREE:
        _FREE.extend(_take_block())
    return _FREE.popleft()


def give_back(domain: int) -> None:
    """Let later tests have the domain."""
    _FREE.append(domain)


def borrow_domain() -> int:
    """A domain for what a test starts and ends itself: the next that is due, at the end of the turn again."""
    domain = take_domain()
    give_back(domain)
    return domain


def _take_block() -> range:
    for index in random.sample(range(len(_BLOCKS)), len(_BLOCKS)):
        lock = (Path(tempfile.gettempdir()) / f"lingbot_ros_test_domains_{index}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        _HELD.append(lock)
        return _BLOCKS[index]
    return random.choice(_BLOCKS)
