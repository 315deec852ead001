"""Which image a control leads to, by stamps: the rule by which a real image finds its control."""

from dataclasses import dataclass

from lingbot_ros.runtime.commands import ControlInput, Velocity


@dataclass(frozen=True)
class ExpectedImage:
    """When the image that a control leads to is taken, on the clock of the stamps, and how far off it may be."""

    at_ns: int
    tolerance_ns: int

    @property
    def until_ns(self) -> int:
        """The last stamp that fits."""
        return self.at_ns + self.tolerance_ns

    def fits(self, stamp_ns: int) -> bool:
        """The tolerances of two successive frames meet; what lies between belongs to the earlier."""
        return self.at_ns - self.tolerance_ns < stamp_ns <= self.until_ns


def expected_image(offer: ControlInput, frame: int, period_ns: int) -> ExpectedImage:
    """Of frame `frame` (from 0) of an offer; only plans have more than one.

    A pose is where its image is taken. An action or a velocity is in force for one frame period, at the end of which
    its image is taken.
    """
    is_pose = not isinstance(offer, Velocity) and offer.is_pose
    return ExpectedImage(offer.stamp_ns + (frame if is_pose else frame + 1) * period_ns, period_ns // 2)
