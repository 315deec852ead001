"""From the numbers that a solver searches over to actions. This choice matters more than the solver or the cost."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats


class Parametrisation(Protocol):
    """D numbers that stand for T actions. All arrays are [D]."""

    @property
    def low(self) -> Floats:
        """Lower limits."""
        ...

    @property
    def high(self) -> Floats:
        """Upper limits."""
        ...

    @property
    def mean(self) -> Floats:
        """Where a search begins."""
        ...

    @property
    def sigma(self) -> Floats:
        """Its first standard deviation."""
        ...

    def decode(self, parameters: Floats) -> Floats:
        """Parameters [B, D] to actions [B, T, A]."""
        ...

    def shifted(self, parameters: Floats, frames: int) -> Floats:
        """Parameters [D] of the same plan after its first `frames` have been executed: the warm start."""
        ...

    def remainder(self, parameters: Floats, frames: int) -> Floats | None:
        """Parameters of what is left of a plan after its first `frames`, for a plan that ends where it would have.

        None when nothing is left, or the rest does not begin where one of the parameters does.
        """
        ...


@dataclass(frozen=True)
class Knots:
    """A path of setpoints: straight lines from `start` through a knot every `spacing` frames; the last knot ends it.

    start [A]: where the robot is now, in the units of the action. low, high [A]: limits of the action. towards [A]:
    where the first mean leads. sigma, last_sigma: first spread of the knots and of the last one.
    """

    horizon: int
    spacing: int
    start: Floats
    action_low: Floats
    action_high: Floats
    towards: Floats
    knot_sigma: float
    last_sigma: float

    def __post_init__(self) -> None:
        if self.horizon < 1 or self.spacing < 1:
            raise InputError("horizon", f"{self.horizon} with spacing {self.spacing}", "give 1 or more")

    @property
    def times(self) -> Floats:
        """Frame of each knot, counted from the present."""
        inner = np.arange(self.spacing, self.horizon, self.spacing, dtype=np.float64)
        return np.append(inner, self.horizon)

    @property
    def low(self) -> Floats:
        return np.tile(self.action_low, len(self.times))

    @property
    def high(self) -> Floats:
        return np.tile(self.action_high, len(self.times))

    @property
    def mean(self) -> Floats:
        share = self.times[:, None] / self.horizon
        return np.clip((self.start + share * (self.towards - self.start)).ravel(), self.low, self.high)

    @property
    def sigma(self) -> Floats:
        spread = np.full((len(self.times), len(self.start)), self.knot_sigma)
        spread[-1] = self.last_sigma
        return spread.ravel()

    def decode(self, parameters: Floats) -> Floats:
        """See `Parametrisation`."""
        knots = parameters.reshape(len(parameters), len(self.times), len(self.start))
        knots = np.concatenate([np.broadcast_to(self.start, knots[:, :1].shape), knots], axis=1)
        times = np.append(0.0, self.times)
        frames = np.arange(1, self.horizon + 1)
        after = np.searchsorted(times, frames)
        share = ((frames - times[after - 1]) / (times[after] - times[after - 1]))[:, None]
        path = knots[:, after - 1] + share * (knots[:, after] - knots[:, after - 1])
        return np.clip(path, self.action_low, self.action_high)

    def shifted(self, parameters: Floats, frames: int) -> Floats:
        """See `Parametrisation`. The same path, read at later times; beyond its end it stays."""
        knots = np.vstack([self.start, parameters.reshape(-1, len(self.start))])
        times = np.append(0.0, self.times)
        later = np.minimum(self.times + frames, self.horizon)
        return np.stack([np.interp(later, times, knots[:, axis]) for axis in range(knots.shape[1])], axis=1).ravel()

    def remainder(self, parameters: Floats, frames: int) -> Floats | None:
        """See `Parametrisation`. The knots that are still ahead."""
        if frames % self.spacing or frames >= self.horizon:
            return None
        return parameters[len(self.start) * (frames // self.spacing) :]


@dataclass(frozen=True)
class RawActions:
    """Every action of every frame, or one held for `hold` frames."""

    horizon: int
    action_low: Floats
    action_high: Floats
    hold: int = 1

    @property
    def _blocks(self) -> int:
        return -(-self.horizon // self.hold)

    @property
    def low(self) -> Floats:
        return np.tile(self.action_low, self._blocks)

    @property
    def high(self) -> Floats:
        return np.tile(self.action_high, self._blocks)

    @property
    def mean(self) -> Floats:
        return (self.low + self.high) / 2

    @property
    def sigma(self) -> Floats:
        return (self.high - self.low) / 4

    def decode(self, parameters: Floats) -> Floats:
        """See `Parametrisation`."""
        blocks = parameters.reshape(len(parameters), self._blocks, -1)
        return np.repeat(blocks, self.hold, axis=1)[:, : self.horizon]

    def shifted(self, parameters: Floats, frames: int) -> Floats:
        """See `Parametrisation`. The last action is repeated."""
        blocks = parameters.reshape(self._blocks, -1)
        later = np.minimum(np.arange(self._blocks) + frames // self.hold, self._blocks - 1)
        return blocks[later].ravel()

    def remainder(self, parameters: Floats, frames: int) -> Floats | None:
        """See `Parametrisation`. The actions that are still ahead."""
        if frames % self.hold or frames >= self.horizon:
            return None
        return parameters.reshape(self._blocks, -1)[frames // self.hold :].ravel()
