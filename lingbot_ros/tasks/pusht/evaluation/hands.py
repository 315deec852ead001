"""How a plan is carried out: exactly, or by a hand that shakes, lags, misses or mirrors."""

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.geometry import ARENA_SIZE

Floats = NDArray[np.float64]


class Hand:
    """Changes targets on their way, of one rollout.

    noise_units: standard deviation of each target. bias_units: added to x. delay_steps: targets come so much later.
    gain: the share of the way from the last target to the next that is gone. dropped: the share of targets that get
    lost; the last one that came holds. flipped: 1 mirrors targets about the pusher.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        noise_units: float = 0.0,
        bias_units: float = 0.0,
        delay_steps: float = 0,
        gain: float = 1.0,
        dropped: float = 0.0,
        flipped: float = 0,
    ) -> None:
        self._rng, self._noise, self._bias = rng, noise_units, bias_units
        self._delay, self._gain, self._dropped, self._flipped = int(delay_steps), gain, dropped, bool(flipped)
        self._waiting: list[Floats] | None = None
        self._last: Floats | None = None

    def move(self, targets: Floats, pusher: Floats) -> Floats:
        """What the robot is sent for targets [n, 2] while it is at `pusher` [2]; units."""
        if self._waiting is None or self._last is None:
            self._waiting, self._last = [pusher] * self._delay, pusher
        sent = []
        for target in targets:
            self._waiting.append(2 * pusher - target if self._flipped else target)
            wanted = self._waiting.pop(0)
            if self._rng.random() >= self._dropped:
                self._last = self._last + self._gain * (wanted - self._last)
            shake = self._rng.normal(0.0, self._noise, 2) + np.array([self._bias, 0.0])
            sent.append(np.clip(self._last + shake, 0.0, ARENA_SIZE))
        return np.array(sent)
