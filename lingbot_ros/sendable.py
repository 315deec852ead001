"""What a ROS message can carry, for checking values where they come in: text from files and numbers of any size."""

import operator

from lingbot_ros.errors import InputError

MAX_COUNT = 2**63 - 1
"""Of counts and seeds in files: it fits int64 and uint64 fields alike."""
MAX_SEED = 2**64 - 1
MAX_STAMP_NS = 2**31 * 1_000_000_000 - 1
"""The last nanosecond that builtin_interfaces/Time can name."""
NAME_BYTES = 200
"""Of names that become file names, which may have 255 bytes with what is added to them."""
PATH_BYTES = 4000
PROMPT_BYTES = 2**16
_FILE_NAME_BYTES = 230
"""255, less what is added while a file is written."""


def require_text(field: str, value: object, max_bytes: int) -> str:
    """A text that can be sent. Raises InputError unless it is a str, encodes as UTF-8, has no NUL and is short enough.

    YAML and JSON can both write half of a character pair (`"\\ud800"`), which no message can hold.
    """
    if not isinstance(value, str):
        raise InputError(field, type(value).__name__, "give a text")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise InputError(field, ascii(value[error.start]), "give valid Unicode: it is half of a pair") from error
    if "\0" in value:
        raise InputError(field, "a text with a NUL", "leave out the character of code 0")
    if size > max_bytes:
        raise InputError(field, f"a text of {size} bytes", f"give at most {max_bytes}")
    return value


def require_whole(field: str, value: object, low: int, high: int) -> int:
    """A whole number from `low` to `high`, also numpy's; a bool is none. Raises InputError."""
    try:
        whole = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        whole = None
    if isinstance(value, bool) or whole is None:
        raise InputError(field, type(value).__name__, "give a whole number")
    if not low <= whole <= high:
        said = str(whole) if abs(whole) < 10**40 else "a number of more than 40 digits"
        raise InputError(field, said, f"give a whole number from {low} to {high}")
    return whole


def require_path(field: str, value: object) -> str:
    """A text that can name a file: no part of it is longer than a file system takes. Raises InputError."""
    text = require_text(field, value, PATH_BYTES)
    longest = max((len(part.encode()) for part in text.split("/")), default=0)
    if longest > _FILE_NAME_BYTES:
        raise InputError(field, f"a name of {longest} bytes", f"give at most {_FILE_NAME_BYTES} between two slashes")
    return text
