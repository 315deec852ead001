"""How sure is an imagined verdict? The imagined score as a probability that the same actions succeed in truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.rollouts.record import Rollout
from lingbot_ros.evaluate.statistics.calibrators import calibrate
from lingbot_ros.evaluate.statistics.probabilities import (
    ReliabilityBin,
    auroc,
    brier,
    brier_skill,
    expected_calibration_error,
    reliability,
)

_FOLDS = 5


@dataclass(frozen=True)
class Foresight:
    """Probabilities of rollouts that the calibrator did not see: the starts are dealt to 5 folds.

    None where it is not defined: all succeed, or none does.
    """

    count: int
    brier: float | None
    brier_skill: float | None
    calibration_error: float | None
    auroc: float | None
    bins: Sequence[ReliabilityBin]


def foresight(
    rollouts: Sequence[Rollout], truth: Mapping[tuple[str, str], float], threshold: float
) -> Foresight | None:
    """Of all rollouts with a score; None where there are too few to calibrate, or a fold has one outcome alone."""
    kept = [(best, rollout) for rollout in rollouts if (best := rollout.best()) is not None]
    scores = np.array([best for best, _ in kept])
    true = np.array([truth[rollout.key] >= threshold for _, rollout in kept], np.float64)
    starts = {name: place for place, name in enumerate(dict.fromkeys(rollout.start for _, rollout in kept))}
    fold = np.array([starts[rollout.start] % _FOLDS for _, rollout in kept], int)
    p = np.full(len(kept), np.nan)
    for held in range(_FOLDS):
        mine = fold == held
        try:
            calibrator = calibrate(scores[~mine], true[~mine])
        except InputError:  # one outcome alone, or a score that means nothing
            return None
        if calibrator is None:
            return None
        p[mine] = calibrator(scores[mine])
    return Foresight(
        len(p),
        brier(p, true),
        brier_skill(p, true),
        expected_calibration_error(p, true),
        auroc(scores, true),
        reliability(p, true),
    )
