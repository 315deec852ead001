"""How a CPU gets the memory for tensors that live for milliseconds."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""Parameters of mallopt(3)."""
_LARGEST, _LARGEST_BEFORE = 2**30, 2**25
"""Bytes; the second is as much as glibc took before 2.35."""
_PAD = 2**28


def keep_freed_memory() -> bool:
    """Keep freed blocks of megabytes in the process, to be used again; returns whether that is possible here.

    Without it glibc asks the kernel for every large tensor, gives it back, and much of the time goes into page faults.
    Other allocators keep their memory by themselves.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    has_threshold = mallopt(_MMAP_THRESHOLD, _LARGEST) or mallopt(_MMAP_THRESHOLD, _LARGEST_BEFORE)
    return bool(has_threshold and mallopt(_TRIM_THRESHOLD, 2 * _LARGEST - 1) and mallopt(_TOP_PAD, _PAD))
