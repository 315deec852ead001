"""Nanoseconds <-> builtin_interfaces/Time."""

from builtin_interfaces.msg import Time

from lingbot_ros.errors import InputError

_NANOSECONDS = 1_000_000_000
_LAST_SECOND = 2**31 - 1


def to_time(nanoseconds: int) -> Time:
    """Nanoseconds since the epoch of the clock in question; exact."""
    seconds, rest = divmod(nanoseconds, _NANOSECONDS)
    if not 0 <= seconds <= _LAST_SECOND:
        raise InputError("stamp", f"{nanoseconds} ns", f"a ROS time lies between 0 and {_LAST_SECOND} s")
    return Time(sec=seconds, nanosec=rest)


def to_nanoseconds(time: Time) -> int:
    """The inverse of `to_time`. Raises InputError for what lies before 0 or has a second of nanoseconds or more."""
    if time.sec < 0 or time.nanosec >= _NANOSECONDS:
        fix = f"give seconds from 0 and nanoseconds below {_NANOSECONDS}"
        raise InputError("stamp", f"{time.sec} s and {time.nanosec} ns", fix)
    return time.sec * _NANOSECONDS + time.nanosec
