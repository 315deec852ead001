"""The quality gate: a run that does not learn what matters is stopped while little has been spent on it."""

from dataclasses import dataclass

from lingbot_ros.errors import InputError
from lingbot_ros.training.config import GateConfig
from lingbot_ros.training.validation import Look, Looked

EXIT_CODE = 3
"""Of a command whose run the gate has stopped."""


@dataclass(frozen=True)
class Verdict:
    """Whether a run may go on, and a sentence with the figures that decided it."""

    passed: bool
    message: str


class Gate:
    """One demand on a model, judged once, as soon as it has been trained for long enough."""

    def __init__(self, config: GateConfig, look: Look) -> None:
        """Raises InputError for a figure or a frame that the look does not have."""
        if config.frame not in look.frames:
            fix = f"this run looks at {', '.join(map(str, look.frames))}; choose one of these or lengthen look.horizon"
            raise InputError("gate.frame", config.frame, fix)
        self.config, self._measure = config, look.measure(config.figure)

    def due(self, trained_seconds: float) -> bool:
        """Whether the run has been trained for long enough to be judged."""
        return trained_seconds >= 60 * self.config.after_minutes

    def judge(self, looked: Looked, trained_seconds: float) -> Verdict:
        """Judge what was seen of the averaged model."""
        config, measure = self.config, self._measure
        model, still = looked.at(config.figure, config.frame)
        bars = [still] if config.bar is None else [still, config.bar]
        passed = all(model < bar if measure.lower_is_better else model > bar for bar in bars)
        asked = f"better than {still:.4f}, which is {measure.nothing}"
        if config.bar is not None:
            asked += f", and better than {config.bar:.4f}"
        message = (
            f"gate: after {trained_seconds / 60:.1f} minutes of training {config.figure} at open-loop frame "
            f"{config.frame} is {model:.4f}; asked is {asked}"
        )
        if passed:
            return Verdict(True, f"{message}: passed")
        return Verdict(
            False,
            f"{message}: {measure.shortfall}. The run was saved and stopped. See the pictures in its folder looks/, "
            "then change the model or the data, or set another demand under `gate:` in the configuration. The same "
            "command with --no-gate goes on regardless",
        )
