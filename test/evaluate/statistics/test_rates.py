"""Intervals of one rate and of differences: known values, scipy, and coverage in simulation."""

import numpy as np
import pytest
from scipy import stats

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics import differences, rates, sequences
from lingbot_ros.evaluate.statistics.interval import Interval, percentile_interval

TOLERANCE = 2e-6


def near(interval: Interval | None, low: float, high: float) -> bool:
    assert interval is not None
    return (interval.low, interval.high) == (pytest.approx(low, abs=TOLERANCE), pytest.approx(high, abs=TOLERANCE))


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0, 0.277533),
        (4, 30, 0.053097, 0.296813),
        (11, 30, 0.218739, 0.544864),
        (15, 30, 0.331541, 0.668459),
        (88, 100, 0.801879, 0.930006),
    ],
)
def test_wilson(k: int, n: int, low: float, high: float) -> None:
    assert near(rates.wilson(k, n), low, high)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0, 0.308497),
        (4, 30, 0.037553, 0.307218),
        (15, 30, 0.312970, 0.687030),
        (88, 100, 0.799764, 0.936431),
    ],
)
def test_clopper_pearson(k: int, n: int, low: float, high: float) -> None:
    assert near(rates.clopper_pearson(k, n), low, high)


@pytest.mark.parametrize(("k", "n", "upper"), [(0, 10, 0.258866), (0, 60, 0.048703), (4, 30, 0.279615)])
def test_upper_bound(k: int, n: int, upper: float) -> None:
    assert rates.upper_bound(k, n) == pytest.approx(upper, abs=TOLERANCE)
    assert rates.upper_bound(k, n) == pytest.approx(stats.beta.ppf(0.95, k + 1, n - k), abs=1e-9)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 10, 0, 0.416880),
        (0, 30, 0, 0.192913),
        (15, 30, 0.245572, 0.754428),
        (88, 100, 0.746465, 0.959904),
    ],
)
def test_confidence_sequence(k: int, n: int, low: float, high: float) -> None:
    assert near(sequences.confidence_sequence(k, n), low, high)
    assert near(sequences.confidence_sequence(n - k, n), 1 - high, 1 - low)


def test_nothing_is_known_before_the_first_rollout() -> None:
    assert sequences.confidence_sequence(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((15, 30, 4, 30), 0.131924, 0.553258),
        ((11, 30, 4, 30), 0.012861, 0.428762),
        ((15, 30, 11, 30), -0.111887, 0.357522),
        ((56, 70, 48, 80), 0.052431, 0.333873),
    ],
)
def test_newcombe(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    assert near(differences.newcombe(*counts), low, high)


@pytest.mark.parametrize(("first", "second", "p"), [(9, 1, 0.021484), (5, 5, 1), (0, 6, 0.031250), (0, 0, 1)])
def test_mcnemar(first: int, second: int, p: float) -> None:
    assert differences.mcnemar(first, second) == pytest.approx(p, abs=TOLERANCE)


def test_sample_sizes() -> None:
    assert rates.trials_for_half_width(0.05) == 385
    assert rates.trials_without_success(0.05) == 59
    assert rates.upper_bound(0, 59) <= 0.05 < rates.upper_bound(0, 58)


def test_holm_multiplies_step_by_step_and_keeps_the_order() -> None:
    assert differences.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert differences.holm([]) == []


def test_impossible_counts_are_refused() -> None:
    for k, n in ((1, 0), (0, 0), (-1, 5), (6, 5)):
        with pytest.raises(InputError, match="k, n"):
            rates.wilson(k, n)
    with pytest.raises(InputError, match="k, n"):
        sequences.confidence_sequence(2, 1)


@pytest.mark.parametrize("n", [20, 50, 100])
def test_exact_intervals_cover_every_rate_and_wilson_covers_on_average(n: int) -> None:
    truth = np.linspace(0, 1, 2003)[1:-1]
    chance = stats.binom.pmf(np.arange(n + 1)[:, None], n, truth)
    exact = [rates.clopper_pearson(k, n) for k in range(n + 1)]
    wilson = [rates.wilson(k, n) for k in range(n + 1)]
    covered = {
        name: sum(mass * ((i.low <= truth) & (truth <= i.high)) for mass, i in zip(chance, found, strict=True))
        for name, found in (("exact", exact), ("wilson", wilson))
    }
    assert covered["exact"].min() >= 0.95
    assert covered["wilson"].mean() >= 0.95


def test_a_watched_rate_is_missed_in_at_most_one_run_of_twenty() -> None:
    rng = np.random.default_rng(1)
    missed = 0
    for truth in np.tile([0.05, 0.3, 0.5, 0.9], 50):
        rate = sequences.RunningRate()
        left = False
        for success in rng.random(100) < truth:
            rate.add(bool(success))
            left |= truth not in rate.interval
        missed += left
    assert missed / 200 <= 0.05


def test_policies_that_differ_are_told_apart_before_the_end_and_equal_ones_are_not() -> None:
    rng = np.random.default_rng(2)
    good, bad, same = (sequences.RunningRate(alpha=0.025) for _ in range(3))
    for _ in range(200):
        good.add(bool(rng.random() < 0.8))
        bad.add(bool(rng.random() < 0.3))
        same.add(bool(rng.random() < 0.8))
        if sequences.decided(good, bad):
            break
    assert good.n < 200
    assert not sequences.decided(good, same)


def test_paired_differences_are_narrower_than_unpaired_ones() -> None:
    rng = np.random.default_rng(3)
    second = rng.random(60) < 0.5
    first = second | (rng.random(60) < 0.2)
    paired = differences.paired_difference(first, second, rng)
    unpaired = differences.newcombe(int(first.sum()), 60, int(second.sum()), 60)
    assert paired is not None
    assert paired.high - paired.low < unpaired.high - unpaired.low
    assert first.mean() - second.mean() in paired
    assert differences.paired_difference([], [], rng) is None


def test_an_interval_of_nothing_is_none() -> None:
    assert percentile_interval(np.array([np.nan, np.nan])) is None
    assert Interval(0, 1).hull(None) == Interval(0, 1)
    assert Interval(0, 1).hull(Interval(-1, 0.5)) == Interval(-1, 1)
