"""From scores to levels: when the imagined future may be acted on, and when not any longer."""

from enum import IntEnum

from lingbot_ros.evaluate.reality.calibration import STOP_HOLD


class Level(IntEnum):
    """The numbers are those of lingbot_msgs/TrustState."""

    UNKNOWN = 0
    OK = 1
    WARN = 2
    STOP = 3


class Gate:
    """Keeps the level between frames. A stop holds until a later window has begun normally."""

    def __init__(self, warn: float, stop: float, recover_hold: int) -> None:
        """recover_hold: normal frames in a row that end a warning, and in a new window also a stop."""
        self._warn, self._stop, self._recover_hold = warn, stop, recover_hold
        self._beyond, self._normal = 0, 0
        self._stopped_here = False
        self.level = Level.OK

    def begin_window(self) -> None:
        """A new window has begun at a real image."""
        self._beyond, self._normal, self._stopped_here = 0, 0, False

    def add(self, score: float) -> Level:
        """The level after a frame with this score."""
        self._beyond = self._beyond + 1 if score > self._stop else 0
        self._normal = self._normal + 1 if score <= self._warn else 0
        if self._beyond >= STOP_HOLD:
            self.level, self._stopped_here = Level.STOP, True
        elif self.level is Level.STOP:
            if not self._stopped_here and self._normal >= self._recover_hold:
                self.level = Level.OK
        elif score > self._warn:
            self.level = Level.WARN
        elif self._normal >= self._recover_hold:
            self.level = Level.OK
        return self.level

    def stop(self) -> None:
        """Stop at once, for a reason other than a score."""
        self.level, self._stopped_here = Level.STOP, True
