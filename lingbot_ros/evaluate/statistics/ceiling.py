"""What a perfect simulator would score at this number of rollouts: no figure above it can be asked for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.correlation import pearson_rows
from lingbot_ros.evaluate.statistics.ordering import mmrv_rows

SAMPLES = 2000


@dataclass(frozen=True)
class Ceiling:
    """pearson, mmrv [samples] of two arms that draw from the same rates; pearson is NaN where an arm was constant."""

    pearson: NDArray[np.float64]
    mmrv: NDArray[np.float64]

    @property
    def pearson_mean(self) -> float | None:
        return float(np.nanmean(self.pearson)) if np.isfinite(self.pearson).any() else None

    @property
    def mmrv_mean(self) -> float:
        return float(self.mmrv.mean())

    def pearson_quantile(self, share: float) -> float | None:
        """None where no draw has a correlation."""
        return float(np.nanquantile(self.pearson, share)) if np.isfinite(self.pearson).any() else None

    def mmrv_quantile(self, share: float) -> float:
        return float(np.quantile(self.mmrv, share))


def perfect_simulator(
    rates: ArrayLike, reference_trials: int, imagined_trials: int, rng: np.random.Generator, samples: int = SAMPLES
) -> Ceiling:
    """Draw both arms binomially from `rates` [policies], the reference's. A measured value within the ceiling's spread
    cannot be told from a perfect one with these numbers of rollouts; it says nothing more.
    """
    truth = np.asarray(rates, np.float64)
    if truth.ndim != 1 or len(truth) < 2 or not ((truth >= 0) & (truth <= 1)).all():
        raise InputError("rates", truth, "give the rates of two or more policies, 0..1")
    reference = rng.binomial(reference_trials, truth, size=(samples, len(truth))) / reference_trials
    imagined = rng.binomial(imagined_trials, truth, size=(samples, len(truth))) / imagined_trials
    return Ceiling(pearson_rows(imagined, reference), mmrv_rows(imagined, reference))
