"""How what numba compiles is kept from one process to the next."""

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from numba import njit


def keeping(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function compiled at once, or taken from the disk, where the first process keeps it: beside its
    file, else in the user's cache (or in NUMBA_CACHE_DIR). Where that cannot be, each process compiles for itself.

    What is kept is renewed when the file of the function changes, not when another one does that it calls.
    """

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(signature, cache=True, error_model="numpy", nogil=True)(function)
        except (OSError, RuntimeError, EOFError, UnpicklingError):  # nowhere to write, or what was written is damaged
            return njit(signature, error_model="numpy", nogil=True)(function)

    return compiled
