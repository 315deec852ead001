"""What remains of one rollout."""

from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

from lingbot_ros.errors import InputError
from lingbot_ros.text_enum import TextEnum

SCHEMA = "lingbot.rollout/1"


class Ending(TextEnum):
    """How a rollout ended. Only the first two have a verdict."""

    HORIZON = "horizon"
    SUCCESS = "success"
    INVALID = "invalid"


@dataclass(frozen=True)
class Rollout:
    """One policy from one start.

    scores: of frames 1.., NaN where a frame could not be scored. actions: [frames][dim], as carried out. clipped: how
    many of them had been outside the box. failure, reason: why an invalid one ended.
    """

    policy: str
    start: str
    arm: str
    seed: int
    ending: Ending
    scores: tuple[float, ...]
    actions: tuple[tuple[float, ...], ...]
    clipped: int = 0
    failure: str = ""
    reason: str = ""
    seen_in_training: bool | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.policy, self.start

    def best(self, horizon: int | None = None) -> float | None:
        """The highest score of frames 1..horizon; None for an invalid rollout and one without scored frames."""
        defined = [score for score in self.scores[:horizon] if isfinite(score)]
        return max(defined) if defined and self.ending is not Ending.INVALID else None

    def success(self, threshold: float, horizon: int | None = None) -> bool | None:
        """Whether the threshold is reached within the horizon; None without a verdict.

        A rollout that was stopped at its success has none for a threshold that it had not reached by then.
        """
        best = self.best(horizon)
        if best is None or (self.ending is Ending.SUCCESS and best < threshold):
            return None
        return best >= threshold

    def plain(self) -> dict[str, Any]:
        """As JSON's types; a NaN is null."""
        scores = [score if isfinite(score) else None for score in self.scores]
        return {"schema": SCHEMA, **asdict(self), "ending": str(self.ending), "scores": scores}

    @staticmethod
    def from_plain(plain: dict[str, Any]) -> "Rollout":
        """The rollout of `plain`, to the last bit. Raises InputError for another schema."""
        if plain.get("schema") != SCHEMA:
            raise InputError("rollout", f"schema {plain.get('schema')!r}", f"this program reads {SCHEMA}")
        fields = {name: value for name, value in plain.items() if name != "schema"}
        fields["ending"] = Ending(fields["ending"])
        fields["scores"] = tuple(nan if score is None else float(score) for score in fields["scores"])
        fields["actions"] = tuple(tuple(float(value) for value in action) for action in fields["actions"])
        return Rollout(**fields)
