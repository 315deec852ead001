"""Who drives: one page at a time, and only for as long as it says so."""

from dataclasses import dataclass

from lingbot_ros.viewer.messages import Drive

RELEASE_S = 0.3
"""Without a word from the page for this long, what it held counts as released."""
IDLE_S = 2.0
"""After this long without driving, another page may drive."""


@dataclass
class _Held:
    drive: Drive
    said_s: float


class DrivingSeat:
    """Which page drives, and what it holds on each stream. Times are of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._driver: int | None = None
        self._used_s = float("-inf")
        self._held: dict[int, _Held] = {}

    def driver(self, now_s: float) -> int | None:
        """The page that drives; None = anybody may."""
        return self._driver if now_s - self._used_s < IDLE_S else None

    def drive(self, page: int, drive: Drive, now_s: float) -> bool:
        """Note what a page holds. False: another page drives, and nothing was changed."""
        if self.driver(now_s) not in (None, page):
            return False
        if drive.held:
            self._driver, self._used_s = page, now_s
            self._held[drive.stream] = _Held(drive, now_s)
        else:
            self._held.pop(drive.stream, None)
        return True

    def take_over(self, page: int, now_s: float) -> None:
        """The page drives from now on; what the other held is released."""
        self._held.clear()
        self._driver, self._used_s = page, now_s

    def leave(self, page: int) -> None:
        """The page is gone, and what it held with it."""
        if page == self._driver:
            self._held.clear()
            self._driver = None

    def held(self, stream: int, now_s: float) -> Drive | None:
        """What is held on a stream; None = nothing."""
        held = self._held.get(stream)
        if held is not None and now_s - held.said_s > RELEASE_S:
            del self._held[stream]
            held = None
        return None if held is None else held.drive
