"""Arrays in .npy files, which may be damaged in any way."""

import tokenize
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_DAMAGED = (EOFError, MemoryError, OverflowError, SyntaxError, TypeError, tokenize.TokenError, zipfile.BadZipFile)
"""What numpy raises beside ValueError: headers are Python, and what begins like an archive is opened as one."""


def load_array(source: Path | IO[bytes], *, mapped: bool = False) -> NDArray[Any]:
    """The one array of a .npy file, never unpickled; mapped: left on disk. Raises OSError, or ValueError if damaged."""
    try:
        array = np.load(source, mmap_mode="r" if mapped else None, allow_pickle=False)
    except _DAMAGED as error:
        raise ValueError(f"damaged: {error}") from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError("an archive of arrays")
    return array
