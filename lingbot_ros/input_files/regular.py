"""Whole files of bounded size. A pipe or a device would hang or never end."""

import os
import stat
from pathlib import Path

from lingbot_ros.errors import InputError

TEXT_BYTES = 2**20
"""Of configuration, cards, worlds and prompts."""
IMAGE_BYTES = 2**26


def read_file(path: Path, field: str, max_bytes: int) -> bytes:
    """The content of a regular file. Raises InputError for anything else, for a larger one and for one out of reach."""
    try:
        # A file that becomes a pipe after it was looked at must not hang either.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(field, f"'{path}'", f"it cannot be read ({reason})") from error
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise InputError(field, f"'{path}'", "it is no regular file")
    with open(descriptor, "rb") as file:
        if about.st_size > max_bytes:
            raise InputError(field, f"'{path}', {about.st_size} bytes", f"give a file of at most {max_bytes}")
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise InputError(field, f"'{path}'", f"it cannot be read ({error.strerror})") from error
    if len(data) > max_bytes:
        raise InputError(field, f"'{path}'", f"give a file of at most {max_bytes} bytes")
    return data


def read_text(path: Path, field: str, max_bytes: int = TEXT_BYTES) -> str:
    """The text of a UTF-8 file, with or without a byte order mark. Raises InputError as `read_file`."""
    try:
        return read_file(path, field, max_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(field, f"'{path}'", f"it is not UTF-8 text ({error.reason} at byte {error.start})") from error
