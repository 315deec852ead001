"""What a frame shows, for models that can tell."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FrameView:
    """Shares of a frame's pixels that add up to 1, and whether its camera could not go where it was to go.

    seen: remembered from real images; painted: imagined and remembered; unknown: filled in for want of either.
    """

    seen: float
    painted: float
    unknown: float
    motion_blocked: bool
