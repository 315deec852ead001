"""Reads single values of an entry in the file of policies. Everything here raises InputError naming the key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, overload

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.patience import Patience

Entry = Mapping[str, Any]

_GIVE_UP_FACTOR = 6


def check_keys(entry: Entry, known: set[str]) -> None:
    """Refuse keys that mean nothing."""
    for key in entry:
        if key not in known:
            raise InputError(str(key), repr(entry[key]), f"leave it out; known: name, {', '.join(sorted(known))}")


def table(entry: Entry, key: str) -> Mapping[str, Any]:
    """NAME: VALUE pairs, none where the key is missing."""
    found = entry.get(key, {})
    if not isinstance(found, Mapping):
        raise InputError(key, found, "give NAME: VALUE pairs")
    return found


def flag(entry: Entry, key: str) -> bool:
    """True or false; false where the key is missing."""
    found = entry.get(key, False)
    if not isinstance(found, bool):
        raise InputError(key, found, "give true or false")
    return found


@overload
def text(entry: Entry, key: str, default: str = "") -> str: ...
@overload
def text(entry: Entry, key: str, default: None) -> str | None: ...
def text(entry: Entry, key: str, default: str | None = "") -> str | None:
    """A text that is not empty, or the default."""
    found = entry.get(key, default)
    if key in entry and (not isinstance(found, str) or not found):
        raise InputError(key, repr(found), "give a text")
    return found


def names(entry: Entry, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """One name or a list of them."""
    found = entry.get(key, list(default))
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not found or not all(isinstance(name, str) and name for name in found):
        raise InputError(key, repr(found), "give a name or a list of names")
    return tuple(found)


def steps(entry: Entry, key: str, least: int = 1) -> int | None:
    """A whole number, or None where the key is missing."""
    found = entry.get(key)
    if key in entry and (isinstance(found, bool) or not isinstance(found, int) or found < least):
        raise InputError(key, repr(found), f"give a whole number of {least} or more")
    return found


def check_python(entry: Entry, folder: Path) -> Path:
    """The file of a Python program, relative to the folder of the file of policies. Links are not followed: the place
    of the file decides which environment it is.
    """
    path = folder / Path(text(entry, "python")).expanduser()
    if not path.is_file():
        raise InputError("python", path, "give the Python of an environment, e.g. ../lerobot-env/bin/python")
    return path.absolute()


def patience(entry: Entry) -> Patience:
    """How long the policy may take to answer, `answer_within_s`."""
    limit = entry.get("answer_within_s", Patience.late_after_s)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < float("inf"):
        raise InputError("answer_within_s", limit, "give seconds above 0")
    return Patience(late_after_s=float(limit), give_up_after_s=_GIVE_UP_FACTOR * float(limit))
