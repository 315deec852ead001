"""The quality gate: a run that does not learn what matters is stopped while little has been spent on it."""

from dataclasses import dataclass

from lingbot_ros.errors import InputError
from lingbot_ros.training.config import GateConfig
from lingbot_ros.training.validation import Validation, ValidationResult

EXIT_CODE = 3
"""Of a command whose run the gate has stopped."""


@dataclass(frozen=True)
class Verdict:
    """Whether a run may go on, and a sentence with the figures that decided it."""

    passed: bool
    message: str


class Gate:
    """What a model must reach, checked once, as soon as it has been trained for long enough."""

    def __init__(self, config: GateConfig, validation: Validation) -> None:
        """Raises InputError for a figure or a frame that the validation does not have."""
        if config.frame not in validation.frames:
            there = ", ".join(map(str, validation.frames))
            fix = f"this run measures {there}; choose one of these or lengthen validation.horizon"
            raise InputError("gate.frame", config.frame, fix)
        self.config, self._metric = config, validation.metric(config.figure)

    def due(self, trained_seconds: float) -> bool:
        """Whether the run has been trained for long enough to be checked."""
        return trained_seconds >= 60 * self.config.after_minutes

    def check(self, result: ValidationResult, trained_seconds: float) -> Verdict:
        """Hold what was measured of the averaged model against the configuration."""
        config, metric = self.config, self._metric
        model, baseline = result.at(config.figure, config.frame)
        bars = [baseline] if config.bar is None else [baseline, config.bar]
        passed = all(model < bar if metric.lower_is_better else model > bar for bar in bars)
        asked = f"better than {baseline:.4f}, which is {metric.baseline}"
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
            f"{message}: {metric.shortfall}. The run was saved and stopped. See the images in its folder validation/, "
            "then change the model or the data, or set another limit under `gate:` in the configuration. The same "
            "command with --no-gate goes on regardless",
        )
