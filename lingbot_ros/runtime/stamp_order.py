"""Whether a source's stamps go forward, and are not too old."""

import time

from lingbot_ros.errors import InputError
from lingbot_ros.runtime.records import NANOSECONDS


class StampOrder:
    """One per topic. Zero stamps mean "now" and are not looked at.

    A source that starts anew may begin at an earlier time, once nothing has been accepted for `pause_s`.
    """

    def __init__(self, field: str, *, strictly: bool, pause_s: float, max_age_s: float) -> None:
        """`strictly`: equal stamps are refused, too. `max_age_s`: against the node's clock; 0 = any age."""
        self._field, self._strictly, self._pause_s, self._max_age_s = field, strictly, pause_s, max_age_s
        self._last_ns = 0
        self._accepted_s = -float("inf")

    def check(self, stamp_ns: int, now_ns: int) -> None:
        """Raise InputError for a stamp that lies before the last accepted one, or too far before `now_ns`."""
        if not stamp_ns:
            return
        value = f"{stamp_ns / NANOSECONDS:.3f} s"
        age_s = (now_ns - stamp_ns) / NANOSECONDS
        if self._max_age_s and age_s > self._max_age_s:
            fix = f"it is {age_s:.3f} s old by the node's clock and may be {self._max_age_s:g} s old (input.max_age)"
            raise InputError(f"{self._field}.header.stamp", value, fix)
        went_back = stamp_ns < self._last_ns or (self._strictly and stamp_ns == self._last_ns)
        if went_back and time.monotonic() - self._accepted_s < self._pause_s:
            fix = (
                f"it must lie after the one before, {self._last_ns / NANOSECONDS:.3f} s; "
                f"a source that restarts is accepted after a pause of {self._pause_s:g} s"
            )
            raise InputError(f"{self._field}.header.stamp", value, fix)
        self._last_ns, self._accepted_s = stamp_ns, time.monotonic()
