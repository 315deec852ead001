"""One line of the doctor's report."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """`PROBLEM` prevents a feature that is on by default; `NOTE` does not."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """`advice` is the suggested action; empty if there is none."""

    subject: str
    state: State
    found: str
    advice: str = ""


def ok(subject: str, found: str) -> Finding:
    """A finding that works."""
    return Finding(subject, State.OK, found)


def note(subject: str, found: str, advice: str = "") -> Finding:
    """A finding about something optional that is missing or limited."""
    return Finding(subject, State.NOTE, found, advice)


def problem(subject: str, found: str, advice: str) -> Finding:
    """A finding about something needed by default that does not work."""
    return Finding(subject, State.PROBLEM, found, advice)
