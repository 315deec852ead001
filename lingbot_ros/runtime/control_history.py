"""Realtime: what each source said lately, so that a real image finds the control that led to it."""

from collections import deque
from collections.abc import Sequence

from lingbot_ros.runtime.commands import ControlInput, Plan, Velocity
from lingbot_ros.runtime.control_times import expected_image
from lingbot_ros.runtime.enums import ControlSource
from lingbot_ros.runtime.records import NANOSECONDS, Control

# Of each source; a robot that sends 100 controls a second is remembered for five seconds.
_REMEMBERED = 512


class ControlHistory:
    """Not thread-safe. Sources are asked in the order of `priority`; one that is not named comes last."""

    def __init__(self, timeout_s: float, priority: Sequence[ControlSource]) -> None:
        """`timeout_s`: how long an action, a velocity or the end of a plan stays in force without a newer one."""
        self._timeout_ns = round(timeout_s * NANOSECONDS)
        self._rank = {source: rank for rank, source in enumerate(priority)}
        self._offers: dict[ControlSource, deque[ControlInput]] = {}

    def put(self, offer: ControlInput) -> None:
        self._offers.setdefault(offer.source, deque(maxlen=_REMEMBERED)).append(offer)

    def find(self, stamp_ns: int, period_ns: int) -> Control | Velocity | None:
        """What led to an image of that stamp, or None.

        A pose is the nearest within half a period. Of actions and velocities it is the newest that was given half a
        period before the image at the latest, if it was still in force. A plan has a frame for each time.
        """
        for source in sorted(self._offers, key=lambda source: self._rank.get(source, len(self._rank))):
            found = self._of_source(self._offers[source], stamp_ns, period_ns)
            if found is not None:
                return found
        return None

    def clear(self) -> None:
        self._offers.clear()

    def _of_source(self, offers: Sequence[ControlInput], stamp_ns: int, period_ns: int) -> Control | Velocity | None:
        begun = [offer for offer in offers if _off_ns(offer, stamp_ns, period_ns) > -(period_ns // 2)]
        if not begun:
            return None
        newest = max(begun, key=lambda offer: offer.stamp_ns)
        if isinstance(newest, Plan):
            frame = -((period_ns // 2 - _off_ns(newest, stamp_ns, period_ns)) // period_ns)
            over_ns = (frame - len(newest.controls) + 1) * period_ns
            return newest.controls[min(frame, len(newest.controls) - 1)] if over_ns <= self._timeout_ns else None
        if isinstance(newest, Control) and newest.is_pose:
            nearest = min(begun, key=lambda offer: abs(_off_ns(offer, stamp_ns, period_ns)))
            near = expected_image(nearest, 0, period_ns).fits(stamp_ns)
            return nearest if near and isinstance(nearest, Control) else None
        in_force = _off_ns(newest, stamp_ns, period_ns) <= max(period_ns // 2, self._timeout_ns)
        return newest if in_force else None


def _off_ns(offer: ControlInput, stamp_ns: int, period_ns: int) -> int:
    """How much later the image was taken than the first one that the offer leads to."""
    return stamp_ns - expected_image(offer, 0, period_ns).at_ns
