"""How well the order and the size of two sets of rates agree, with intervals and the null of no relation."""

import warnings
from math import atanh, factorial, sqrt, tanh

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats  # type: ignore[import-untyped]

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics.interval import Interval

Floats = NDArray[np.float64]

PERMUTATIONS = 9999
FEWEST_POLICIES = 4
_EXACT_UP_TO = 8


def pearson(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """Pearson's r of the rates [N] of N policies; None where one of the two is constant or N < 2."""
    first, second = check_rates(imagined, reference)
    return _defined(float(pearson_rows(first[None], second[None])[0]))


def spearman(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """Pearson's r of the mean ranks; None as in `pearson`."""
    first, second = check_rates(imagined, reference)
    return _defined(float(spearman_rows(first[None], second[None])[0]))


def kendall(*, imagined: ArrayLike, reference: ArrayLike) -> float | None:
    """Kendall's tau-b; None as in `pearson`."""
    first, second = check_rates(imagined, reference)
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return _defined(float(stats.kendalltau(first, second).statistic))


def pearson_rows(imagined: Floats, reference: Floats) -> Floats:
    """Pearson's r [B] of the rows of two tables [B, N]; NaN where a row is constant."""
    if imagined.shape[1] < 2:
        return np.full(len(imagined), np.nan)
    constant = (np.ptp(imagined, axis=1) == 0) | (np.ptp(reference, axis=1) == 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)
        found = stats.pearsonr(imagined, reference, axis=1).statistic
    return np.where(constant, np.nan, found)


def spearman_rows(imagined: Floats, reference: Floats) -> Floats:
    """Spearman's rho [B] of the rows of two tables [B, N]; NaN where a row is constant."""
    return pearson_rows(stats.rankdata(imagined, axis=1), stats.rankdata(reference, axis=1))


def fisher_interval(r: float, policies: int, alpha: float = 0.05, ranks: bool = False) -> Interval | None:
    """Fisher's interval of a correlation over `policies`, Spearman's with `ranks`; None for fewer than 4 policies."""
    if policies < FEWEST_POLICIES:
        return None
    clipped = min(max(r, -1 + 1e-9), 1 - 1e-9)
    error = sqrt((1 + clipped**2 / 2 if ranks else 1) / (policies - 3))
    reach = float(stats.norm.ppf(1 - alpha / 2)) * error
    return Interval(tanh(atanh(clipped) - reach), tanh(atanh(clipped) + reach))


def permutation_p(
    *, imagined: ArrayLike, reference: ArrayLike, rng: np.random.Generator, ranks: bool = False
) -> float | None:
    """How often policies in random order correlate as well, one-sided: exact up to 8 policies, else 9,999 orders.

    None where the correlation is not defined.
    """
    first, second = check_rates(imagined, reference)
    if ranks:
        first, second = stats.rankdata(first), stats.rankdata(second)
    if pearson(imagined=first, reference=second) is None:
        return None
    # Reordering changes neither mean nor spread, so that the sum of products ranks as the correlation does.
    centred = second - second.mean()
    found = stats.permutation_test(
        (first,),
        lambda order, axis: (order * centred).sum(axis=axis),
        permutation_type="pairings",
        alternative="greater",
        vectorized=True,
        n_resamples=factorial(len(first)) if len(first) <= _EXACT_UP_TO else PERMUTATIONS,
        batch=10_000,
        rng=rng,
    )
    return float(found.pvalue)


def leave_one_out(*, imagined: ArrayLike, reference: ArrayLike) -> Interval | None:
    """The lowest and highest Pearson's r when one policy is left out; None where one of them is not defined."""
    first, second = check_rates(imagined, reference)
    found = [
        pearson(imagined=np.delete(first, index), reference=np.delete(second, index)) for index in range(len(first))
    ]
    defined = [r for r in found if r is not None]
    return Interval(min(defined), max(defined)) if defined and len(defined) == len(found) else None


def check_rates(imagined: ArrayLike, reference: ArrayLike) -> tuple[Floats, Floats]:
    """Both as float64 [N]. Raises InputError unless they are equally long rows of finite numbers."""
    first, second = np.asarray(imagined, np.float64), np.asarray(reference, np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError("imagined, reference", f"shapes {first.shape}, {second.shape}", "give one rate per policy")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError("imagined, reference", "a rate that is not finite", "leave out policies without a rate")
    return first, second


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
