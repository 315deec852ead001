"""Probabilities from scores: known values, scipy, and what is refused."""

from math import inf

import numpy as np
import pytest
from scipy import stats

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics import calibrators, conformal, probabilities

P = (0.1, 0.2, 0.35, 0.4, 0.55, 0.6, 0.7, 0.8, 0.9, 0.95)
Y = (0, 0, 1, 0, 1, 0, 1, 1, 1, 1)


def test_quality_of_probabilities() -> None:
    assert probabilities.brier(P, Y) == pytest.approx(0.13375)
    assert probabilities.brier_skill(P, Y) == pytest.approx(0.442708, abs=1e-6)
    assert probabilities.negative_log_likelihood(P, Y) == pytest.approx(0.413975, abs=1e-6)
    assert probabilities.auroc(P, Y) == pytest.approx(0.875)
    assert probabilities.expected_calibration_error(P, Y, bins=5) == pytest.approx(0.135)
    assert probabilities.expected_calibration_error(P, Y, bins=2) == pytest.approx(0.045)
    assert probabilities.risk_under_coverage(1 - np.array(Y), P) == pytest.approx(0.163571, abs=1e-6)


def test_the_area_under_the_curve_is_that_of_the_rank_test() -> None:
    rng = np.random.default_rng(0)
    y = rng.random(50) < 0.4
    scores = np.round(rng.random(50) + 0.3 * y, 1)
    ranks = stats.rankdata(scores)
    expected = (ranks[y].sum() - y.sum() * (y.sum() + 1) / 2) / (y.sum() * (~y).sum())
    assert probabilities.auroc(scores, y) == pytest.approx(expected)


def test_figures_of_one_sided_or_no_labels_are_none() -> None:
    assert probabilities.auroc((0.1, 0.9), (1, 1)) is None
    assert probabilities.brier_skill((0.1, 0.9), (1, 1)) is None
    for figure in (
        probabilities.brier,
        probabilities.negative_log_likelihood,
        probabilities.expected_calibration_error,
    ):
        assert figure((), ()) is None
    assert probabilities.risk_under_coverage((), ()) is None


def test_bins_have_equal_mass_and_the_larger_come_first() -> None:
    found = probabilities.reliability(P, Y, bins=3)
    assert [part.count for part in found] == [4, 3, 3]
    assert found[0].probability == pytest.approx(np.mean(P[:4]))
    assert found[-1].rate == 1.0


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="p, y"):
        probabilities.brier((1.2,), (1,))
    with pytest.raises(InputError, match="p, y"):
        probabilities.brier((0.2, 0.3), (1,))


def test_platt() -> None:
    found = calibrators.fit_platt(P, Y)
    assert found.a == pytest.approx(4.174572, abs=2e-6)
    assert found.b == pytest.approx(-1.846230, abs=2e-6)
    with pytest.raises(InputError, match="higher one means more success"):
        calibrators.fit_platt(1 - np.array(P), Y)


def test_isotonic() -> None:
    found = calibrators.fit_isotonic(P, Y)
    at_data = [found.levels[np.abs(found.scores - centre).argmin()] for centre in (0.15, 0.475, 0.8375)]
    assert at_data == [0.0, 0.5, 1.0]
    assert found.scores == pytest.approx([0.15, 0.475, 0.8375])
    assert found([0.0, 0.475, 1.0]).tolist() == [0.0, 0.5, 1.0]


def test_equal_scores_are_pooled_before_violators() -> None:
    found = calibrators.fit_isotonic((0.5, 0.5, 0.5, 0.9), (1, 0, 0, 1))
    assert found.levels == pytest.approx([1 / 3, 1.0])


def test_the_calibrator_depends_on_how_many_labels_there_are() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(400)
    y = (rng.random(400) < scores**2).astype(float)
    assert calibrators.calibrate(scores[:19], y[:19]) is None
    assert isinstance(calibrators.calibrate(scores[:100], y[:100]), calibrators.Platt)
    isotonic = calibrators.calibrate(scores, y)
    assert isinstance(isotonic, calibrators.Isotonic)
    fresh = rng.random(5000)
    came = (rng.random(5000) < fresh**2).astype(float)
    raw = probabilities.expected_calibration_error(fresh, came)
    fitted = probabilities.expected_calibration_error(isotonic(fresh), came)
    assert raw is not None and fitted is not None and fitted < raw / 2


def test_conformal() -> None:
    scores = np.arange(1, 20) * 0.05
    assert conformal.conformal_threshold(scores, 0.1) == pytest.approx(0.90)
    assert conformal.conformal_threshold(scores[:8], 0.1) == inf
    assert conformal.conformal_p((0.1, 0.4, 0.35, 0.8, 0.2), 0.35) == pytest.approx(0.666667, abs=1e-6)


def test_a_normal_rollout_exceeds_the_threshold_as_rarely_as_is_said() -> None:
    rng = np.random.default_rng(2)
    alarms = [rng.normal() > conformal.conformal_threshold(rng.normal(size=30), 0.1) for _ in range(3000)]
    assert np.mean(alarms) <= 0.1 + 2 * np.sqrt(0.1 * 0.9 / 3000)
    assert np.mean(alarms) > 0.06
