"""Enumerations whose members are texts: `enum.StrEnum`, which Python 3.10 lacks."""

from enum import Enum


class TextEnum(str, Enum):
    """Members are equal to their values and print as them."""

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]
