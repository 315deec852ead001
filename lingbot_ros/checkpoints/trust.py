"""How far a world's frames can be believed, from what its card says of rollouts that came out right."""

from bisect import bisect_left
from dataclasses import dataclass, field

LEAST_TRUST = 0.1
"""Frames with less trust are not to be believed."""

FARTHEST_PX = 1e6
"""What an infinite doubt counts as: cards hold finite numbers."""

_FEWEST = round(1 / LEAST_TRUST) - 1


@dataclass(frozen=True)
class TrustSpec:
    """The calibration of a doubt that a session works out for every frame, in pixels.

    right_px: a held-out rollout came out right when it was never farther than this from the truth in its `frames`.
    doubts_px: the largest doubt of each rollout that came out right, in ascending order. Over a rollout of this length,
    at most `LEAST_TRUST` of those that come out right have less trust at any time (conformal prediction).
    measured: what that is worth on further rollouts.
    """

    right_px: float
    frames: int
    doubts_px: tuple[float, ...]
    measured: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.doubts_px) < _FEWEST:
            raise ValueError(f"trust.doubts_px: {len(self.doubts_px)} rollouts came out right; {_FEWEST} are needed")
        if list(self.doubts_px) != sorted(self.doubts_px):
            raise ValueError("trust.doubts_px: must ascend")

    def of(self, doubt_px: float) -> float:
        """The share of right rollouts that were doubted as much at some time: 1 = less than any, near 0 = more."""
        as_much = len(self.doubts_px) - bisect_left(self.doubts_px, min(doubt_px, FARTHEST_PX))
        return (1 + as_much) / (len(self.doubts_px) + 1)

    @property
    def definition(self) -> str:
        """What the number means, for those who get it."""
        return (
            f"conformal p-value of the spread of perturbed copies against {len(self.doubts_px)} held-out rollouts that "
            f"stayed within {self.right_px:g} px for {self.frames} frames; below {LEAST_TRUST:g}: do not believe"
        )
