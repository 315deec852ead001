"""How what numba compiles is kept from one process to the next."""

import logging
from collections.abc import Callable
from functools import cache
from pickle import UnpicklingError
from typing import Any

from numba import njit

_LOG = logging.getLogger(__name__)


def keeping(signature: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the function compiled at once, or taken from the disk, where the first process keeps it: beside its
    file, else in the user's cache (or in NUMBA_CACHE_DIR). Where that cannot be, each process compiles for itself, and
    says so once.

    What is kept is renewed when the file of the function changes, not when another one does that it calls.
    """

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(signature, cache=True, error_model="numpy", nogil=True)(function)
        except (OSError, RuntimeError, EOFError, UnpicklingError):  # nowhere to write, or what was written is damaged
            _say_that_nothing_is_kept()
            return njit(signature, error_model="numpy", nogil=True)(function)

    return compiled


@cache
def _say_that_nothing_is_kept() -> None:
    _LOG.warning(
        "compiled code cannot be kept on this machine's disk: loading the model takes 5 to 8 seconds longer in every "
        "process; set NUMBA_CACHE_DIR to a folder that can be written"
    )
