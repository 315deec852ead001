"""Few real rollouts beside many imagined ones; wrong actions; rankings; preferences."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics import few_real, preferences, wrong_action_success
from lingbot_ros.evaluate.statistics.ranking import rank_policies, tie_groups
from lingbot_ros.evaluate.statistics.rates import clopper_pearson

REAL = (1, 1, 0, 1, 0, 0, 1, 0, 1, 0)
IMAGINED = (1, 1, 1, 1, 0, 1, 1, 0, 1, 0)
REST = [1] * 70 + [0] * 30


def test_prediction_powered_rate() -> None:
    found = few_real.prediction_powered(reference=REAL, imagined=IMAGINED, imagined_only=REST)
    assert found.weight == pytest.approx(0.714286, abs=1e-6)
    assert found.rate == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(0.130212, abs=1e-6)
    plain = few_real.prediction_powered(reference=REAL, imagined=IMAGINED, imagined_only=REST, weight=1.0)
    assert plain.standard_error == pytest.approx(0.141064, abs=1e-6)
    alone = few_real.prediction_powered(reference=REAL, imagined=IMAGINED, imagined_only=REST, weight=0.0)
    assert alone.standard_error == pytest.approx(0.166667, abs=1e-6)


def test_too_few_or_equal_real_outcomes_stand_alone() -> None:
    few = few_real.prediction_powered(reference=REAL[:5], imagined=IMAGINED[:5], imagined_only=REST)
    assert (few.weight, few.rate, few.interval) == (0.0, 0.6, clopper_pearson(3, 5))
    equal = few_real.prediction_powered(reference=[1] * 20, imagined=[1, 0] * 10, imagined_only=REST)
    assert (equal.weight, equal.rate, equal.interval) == (0.0, 1.0, clopper_pearson(20, 20))
    with pytest.raises(InputError, match="outcomes"):
        few_real.prediction_powered(reference=[], imagined=[], imagined_only=REST)


def errors_of_shrinking(informative: bool) -> tuple[float, float]:
    """Root mean square errors of shrunk and of plain rates, 5 real rollouts for each of 10 policies, 400 times."""
    rng = np.random.default_rng(3)
    shrunk, plain = [], []
    for _ in range(400):
        truth = rng.uniform(0, 1, 10)
        imagined = np.clip(truth + rng.normal(0, 0.07, 10), 0, 1) if informative else rng.uniform(0, 1, 10)
        k = rng.binomial(5, truth)
        found = few_real.shrink_to_line(successes=k, trials=np.full(10, 5), imagined=imagined)
        assert found is not None
        shrunk.append((found.rates - truth) ** 2)
        plain.append((k / 5 - truth) ** 2)
    return float(np.sqrt(np.mean(shrunk))), float(np.sqrt(np.mean(plain)))


def test_shrinking_to_a_good_imagination_helps_much_and_to_a_useless_one_does_not_harm() -> None:
    shrunk, plain = errors_of_shrinking(informative=True)
    assert shrunk < 0.6 * plain
    shrunk, plain = errors_of_shrinking(informative=False)
    assert shrunk < 1.05 * plain


def test_no_line_without_policies_or_spread() -> None:
    assert few_real.shrink_to_line(successes=[1, 2, 3], trials=[5, 5, 5], imagined=[0.1, 0.2, 0.3]) is None
    assert few_real.shrink_to_line(successes=[1, 2, 3, 4], trials=[5] * 4, imagined=[0.2] * 4) is None
    with pytest.raises(InputError, match="trials"):
        few_real.shrink_to_line(successes=[6], trials=[5], imagined=[0.2])


def test_rates_of_other_policies_are_extrapolated_only_along_a_steep_line() -> None:
    assert few_real.extrapolate(imagined=0.5, slope=0.5, intercept=0.1) == pytest.approx(0.8)
    assert few_real.extrapolate(imagined=0.9, slope=0.5, intercept=0.1) == 1.0
    assert few_real.extrapolate(imagined=0.5, slope=0.1, intercept=0.1) is None


def test_it_takes_59_rollouts_without_success_to_pass() -> None:
    assert wrong_action_success.FalseSuccess(0, 59).passed
    assert not wrong_action_success.FalseSuccess(0, 58).passed
    assert not wrong_action_success.FalseSuccess(1, 59).passed
    assert wrong_action_success.FalseSuccess(2, 50).upper == pytest.approx(0.121, abs=5e-4)


def test_a_control_is_universal_only_when_the_reference_never_succeeds_often_enough() -> None:
    assert wrong_action_success.is_universal(0, 30)
    assert not wrong_action_success.is_universal(0, 29)
    assert not wrong_action_success.is_universal(1, 100)


def test_excess_over_the_reference() -> None:
    excess = wrong_action_success.FalseSuccess(15, 30).excess(4, 30)
    assert (excess.low, excess.high) == (pytest.approx(0.131924, abs=1e-6), pytest.approx(0.553258, abs=1e-6))


def test_optimism_and_paired_wins() -> None:
    assert wrong_action_success.optimism_index(controls=[0, 1], true_actions=[1, 1]) == 0.5
    assert wrong_action_success.optimism_index(controls=[0, 1], true_actions=[0, 0]) is None
    assert wrong_action_success.paired_win(true_actions=[0.9, 0.5, 0.1], controls=[0.1, 0.5, 0.2]) == 0.5
    assert wrong_action_success.paired_win(true_actions=[], controls=[]) is None


def outcomes(*counts: int, starts: int = 60) -> np.ndarray:
    return np.array([[1.0] * count + [0.0] * (starts - count) for count in counts])


def test_clear_orders_have_narrow_ranks_and_ties_share_a_group() -> None:
    found = rank_policies(outcomes(55, 30, 29, 2), np.random.default_rng(0), samples=2000)
    assert found.rank.tolist() == [1, 2, 3, 4]
    assert found.tie_group == (1, 2, 2, 3)
    assert (found.interval[0].low, found.interval[0].high) == (1.0, 1.0)
    assert found.best[0] > 0.99 and found.best.sum() == pytest.approx(1.0)
    assert found.better[0, 3] == 1.0
    assert found.better + found.better.T == pytest.approx(np.ones((4, 4)))


def test_equal_policies_share_rank_and_chance() -> None:
    found = rank_policies(outcomes(20, 20), np.random.default_rng(0), samples=500)
    assert found.rank.tolist() == [1.5, 1.5]
    assert found.tie_group == (1, 1)
    assert found.best.tolist() == [0.5, 0.5]


def test_groups_go_from_best_to_worst_whatever_the_order_of_rows() -> None:
    assert tie_groups(outcomes(2, 55, 30)) == (3, 1, 2)


def test_bradley_terry() -> None:
    found = preferences.bradley_terry([[0, 7, 9], [3, 0, 6], [1, 4, 0]])
    assert found.log_strength == pytest.approx([0.943606, -0.160161, -0.783445], abs=2e-6)
    assert found.beats(0, 1) == pytest.approx(0.750965, abs=1e-6)
    assert not found.padded


def test_a_policy_that_never_lost_is_padded_and_said() -> None:
    found = preferences.bradley_terry([[0, 5], [0, 0]])
    assert found.padded
    assert found.beats(0, 1) == pytest.approx(5.5 / 6)
    with pytest.raises(InputError, match="square"):
        preferences.bradley_terry([[0, 1]])
