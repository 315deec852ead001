"""Rollout by rollout: does an imagined success come true? Agreement of two verdicts on the same starts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.errors import InputError


@dataclass(frozen=True)
class Verdicts:
    """A table of two verdicts on the same rollouts. Figures that are not defined are None."""

    both: int
    only_imagined: int
    only_reference: int
    neither: int

    @property
    def count(self) -> int:
        return self.both + self.only_imagined + self.only_reference + self.neither

    @property
    def agreement(self) -> float | None:
        """The share of rollouts with equal verdicts."""
        return (self.both + self.neither) / self.count if self.count else None

    @property
    def come_true(self) -> float | None:
        """The share of imagined successes that succeed in the reference."""
        imagined = self.both + self.only_imagined
        return self.both / imagined if imagined else None

    @property
    def foreseen(self) -> float | None:
        """The share of reference successes that were imagined."""
        reference = self.both + self.only_reference
        return self.both / reference if reference else None

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean of the two shares that are right: among reference successes and among reference failures."""
        failures = self.only_imagined + self.neither
        if self.foreseen is None or not failures:
            return None
        return (self.foreseen + self.neither / failures) / 2

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa; None where chance alone would agree always."""
        if self.agreement is None:
            return None
        n = self.count
        imagined, reference = (self.both + self.only_imagined) / n, (self.both + self.only_reference) / n
        return cohen_kappa(self.agreement, imagined * reference + (1 - imagined) * (1 - reference))

    @property
    def phi(self) -> float | None:
        """The correlation of the two verdicts; None where one of them is always the same."""
        imagined, reference = self.both + self.only_imagined, self.both + self.only_reference
        spread = imagined * (self.count - imagined) * reference * (self.count - reference)
        if not spread:
            return None
        return float((self.both * self.neither - self.only_imagined * self.only_reference) / np.sqrt(float(spread)))


def compare_verdicts(*, imagined: ArrayLike, reference: ArrayLike) -> Verdicts:
    """Count verdicts bool [n]. Raises InputError for different lengths."""
    first: NDArray[np.bool_] = np.asarray(imagined, bool)
    second: NDArray[np.bool_] = np.asarray(reference, bool)
    if first.shape != second.shape or first.ndim != 1:
        raise InputError("imagined, reference", f"shapes {first.shape}, {second.shape}", "give one verdict per rollout")
    counts = [int(pair.sum()) for pair in (first & second, first & ~second, ~first & second, ~first & ~second)]
    return Verdicts(*counts)


def cohen_kappa(observed: float, expected: float) -> float | None:
    """Agreement beyond chance, from the observed and the expected share; None where the expected one is 1."""
    return (observed - expected) / (1 - expected) if expected < 1 else None
