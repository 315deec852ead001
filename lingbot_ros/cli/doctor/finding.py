"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """`NOTE` is worth knowing but prevents nothing that works by default; `PROBLEM` does."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`advice` says what to do; empty where nothing need be done."""

    subject: str
    state: State
    found: str
    advice: str = ""


def ok(subject: str, found: str) -> Finding:
    """Works."""
    return Finding(subject, State.OK, found)


def note(subject: str, found: str, advice: str = "") -> Finding:
    """Optional, and absent or not at its best."""
    return Finding(subject, State.NOTE, found, advice)


def problem(subject: str, found: str, advice: str) -> Finding:
    """Needed by default, and not working."""
    return Finding(subject, State.PROBLEM, found, advice)
