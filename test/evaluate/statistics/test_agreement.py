"""Agreement of two arms: published pairs of rates, scipy, null, ceiling, and coverage of the intervals."""

import numpy as np
import pytest
from scipy import stats

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.statistics import correlation, ordering, outcomes
from lingbot_ros.evaluate.statistics.agreement import agree, agree_among_successful
from lingbot_ros.evaluate.statistics.ceiling import perfect_simulator
from lingbot_ros.evaluate.statistics.resampling import Arms, over_policies_and_starts, over_starts

# reference, imagined, pearson, mmrv, mmrv with swapped arms, spearman, kendall
PUBLISHED = [
    ((0.18, 0.5, 0.8, 1), (0.28, 0.48, 0.74, 0.96), 0.99314, 0, 0, 1, 1),
    (
        (0.733, 0.633, 0.583, 0.450, 0.017, 0.350),
        (0.779, 0.442, 0.354, 0.317, 0.050, 0.042),
        0.856097,
        0.111,
        0.002667,
        0.9429,
        0.8667,
    ),
    (
        (0.907, 0.853, 0.920, 0.760, 0.133, 0.293),
        (0.787, 0.857, 0.710, 0.567, 0.027, 0.170),
        0.975434,
        0.031333,
        0.061833,
        0.7714,
        0.6,
    ),
    ((0.333, 0.815, 0.704, 0.519, 0, 0.148), (0.157, 0.601, 0.463, 0.296, 0, 0.009), 0.983167, 0, 0, 1, 1),
    ((0, 0.25, 0.083), (0.042, 0.083, 0.097), 0.571368, 0.111333, None, 0.5, 0.3333),
]


@pytest.mark.parametrize(("reference", "imagined", "r", "worst", "swapped", "rho", "tau"), PUBLISHED)
def test_published_tables(reference, imagined, r: float, worst: float, swapped: float | None, rho, tau) -> None:
    arms = {"imagined": imagined, "reference": reference}
    assert correlation.pearson(**arms) == pytest.approx(r, abs=5e-6)
    assert ordering.mmrv(**arms) == pytest.approx(worst, abs=1e-6)
    if swapped is not None:
        assert ordering.mmrv(imagined=reference, reference=imagined) == pytest.approx(swapped, abs=1e-6)
    assert correlation.spearman(**arms) == pytest.approx(rho, abs=5e-5)
    assert correlation.kendall(**arms) == pytest.approx(tau, abs=5e-5)


def test_bias_and_errors() -> None:
    arms = {"imagined": (0.28, 0.48, 0.74, 0.96), "reference": (0.18, 0.5, 0.8, 1)}
    assert ordering.bias(**arms) == pytest.approx(-0.005)
    assert ordering.mean_absolute_error(**arms) == pytest.approx(0.055)
    assert ordering.root_mean_square_error(**arms) == pytest.approx(np.sqrt((0.01 + 0.0004 + 0.0036 + 0.0016) / 4))


@pytest.mark.parametrize(
    ("r", "policies", "low", "high"),
    [(0.99314, 4, 0.704367, 0.999863), (0.95, 8, 0.742154, 0.991155), (0.9, 12, 0.674470, 0.971903)],
)
def test_fisher(r: float, policies: int, low: float, high: float) -> None:
    found = correlation.fisher_interval(r, policies)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=2e-6), pytest.approx(high, abs=2e-6))
    by_scipy = stats.pearsonr(np.arange(policies), np.arange(policies) ** 2).confidence_interval()
    mine = correlation.fisher_interval(
        float(np.corrcoef(np.arange(policies), np.arange(policies) ** 2)[0, 1]), policies
    )
    assert mine is not None
    assert (mine.low, mine.high) == pytest.approx((by_scipy.low, by_scipy.high))


def test_three_policies_have_no_interval() -> None:
    assert correlation.fisher_interval(0.57, 3) is None


def test_ties() -> None:
    assert ordering.mmrv(imagined=(0.5, 0.5), reference=(0.6, 0.4)) == pytest.approx(0.1)
    assert ordering.mmrv_symmetric(imagined=(0.5, 0.5), reference=(0.6, 0.4)) == pytest.approx(0.2)
    arms = {"imagined": (1, 2, 2, 3), "reference": (1, 3, 2, 4)}
    assert correlation.kendall(**arms) == pytest.approx(0.912871, abs=1e-6)
    assert correlation.spearman(**arms) == pytest.approx(0.948683, abs=1e-6)


def test_a_constant_score_has_no_correlation() -> None:
    arms = {"imagined": (0.5,) * 4, "reference": (0.1, 0.2, 0.3, 0.4)}
    rng = np.random.default_rng(0)
    assert correlation.pearson(**arms) is None
    assert correlation.spearman(**arms) is None
    assert correlation.kendall(**arms) is None
    assert correlation.permutation_p(**arms, rng=rng) is None
    assert correlation.leave_one_out(**arms) is None
    assert ordering.line(imagined=arms["reference"], reference=arms["imagined"]) is None


@pytest.mark.parametrize(("policies", "p"), [(4, 0.041667), (5, 0.008333)])
def test_exact_permutation(policies: int, p: float) -> None:
    rates = np.linspace(0, 1, policies)
    found = correlation.permutation_p(imagined=rates, reference=rates, rng=np.random.default_rng(0))
    assert found == pytest.approx(p, abs=1e-6)


def test_many_policies_draw_orders_and_unrelated_ones_are_not_significant() -> None:
    rng = np.random.default_rng(4)
    rates = np.linspace(0, 1, 12)
    assert correlation.permutation_p(imagined=rates, reference=rates, rng=rng) == pytest.approx(1 / 10_000)
    unrelated = np.tile([0.2, 0.8], 6)
    found = correlation.permutation_p(imagined=unrelated, reference=rates, rng=rng)
    assert found is not None and found > 0.2


def test_correlations_equal_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    imagined, reference = rng.random(15), rng.random(15)
    arms = {"imagined": imagined, "reference": reference}
    assert correlation.pearson(**arms) == pytest.approx(stats.pearsonr(imagined, reference).statistic)
    assert correlation.spearman(**arms) == pytest.approx(stats.spearmanr(imagined, reference).statistic)
    assert correlation.kendall(**arms) == pytest.approx(stats.kendalltau(imagined, reference).statistic)


def test_leaving_out_the_policy_that_makes_the_correlation_lowers_it() -> None:
    found = correlation.leave_one_out(imagined=(0.1, 0.2, 0.1, 0.2, 0.9), reference=(0.2, 0.1, 0.1, 0.2, 0.9))
    assert found is not None
    assert found.low == pytest.approx(0.0, abs=1e-9)
    assert found.high > 0.9


def test_pairs_by_how_far_apart_they_are() -> None:
    found = ordering.ordered_pairs(imagined=(0.3, 0.2, 0.5, 0.5), reference=(0.2, 0.3, 0.5, 0.5))
    assert [(part.right, part.pairs) for part in found] == [(0, 1), (2, 2), (2, 2)]
    assert ordering.pair_accuracy(imagined=(0.3, 0.2), reference=(0.2, 0.3)) == 0.0
    assert ordering.pair_accuracy(imagined=(0.3, 0.2), reference=(0.2, 0.25)) is None


def test_regret_of_the_imagined_best() -> None:
    assert ordering.top1_regret(imagined=(0.5, 0.5, 0.1), reference=(0.2, 0.6, 0.9)) == pytest.approx(0.5)


def test_verdicts_of_rollouts() -> None:
    table = outcomes.compare_verdicts(imagined=[1, 1, 0, 0], reference=[1, 0, 0, 0])
    assert (table.both, table.only_imagined, table.only_reference, table.neither) == (1, 1, 0, 2)
    assert table.agreement == 0.75
    assert table.kappa == pytest.approx(0.5)
    assert outcomes.cohen_kappa(0.75, 0.5) == 0.5
    assert table.phi == pytest.approx(stats.pearsonr([1, 1, 0, 0], [1, 0, 0, 0]).statistic)
    assert (table.come_true, table.foreseen) == (0.5, 1.0)
    assert table.balanced_accuracy == pytest.approx((1 + 2 / 3) / 2)


def test_verdicts_that_are_always_the_same_have_no_phi_and_no_kappa() -> None:
    table = outcomes.compare_verdicts(imagined=[0, 0], reference=[0, 0])
    assert table.phi is None and table.kappa is None and table.foreseen is None and table.come_true is None
    assert outcomes.compare_verdicts(imagined=[], reference=[]).agreement is None


def test_the_ceiling_of_a_perfect_simulator() -> None:
    spread = perfect_simulator((0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1), 100, 100, np.random.default_rng(0), 20_000)
    assert spread.pearson_mean == pytest.approx(0.990, abs=0.002)
    assert spread.pearson_quantile(0.01) == pytest.approx(0.970, abs=0.004)
    assert spread.mmrv_quantile(0.99) == pytest.approx(0.047, abs=0.006)
    narrow = perfect_simulator(np.linspace(0.4, 0.75, 8), 50, 50, np.random.default_rng(0))
    assert narrow.pearson_mean == pytest.approx(0.78, abs=0.02)


def test_the_ceiling_of_policies_that_never_succeed_has_no_correlation() -> None:
    never = perfect_simulator((0.0, 0.0, 0.0), 50, 50, np.random.default_rng(0))
    assert never.pearson_mean is None and never.pearson_quantile(0.05) is None and never.mmrv_mean == 0.0


def simulated(rng: np.random.Generator, policies: int, starts: int, noise: float = 0.05) -> Arms:
    """Policies of all strengths on starts of different difficulty, played in two arms that agree on both."""
    strength = rng.uniform(-2, 2, policies)[:, None]
    ease = rng.normal(0, 1, starts)
    real = 1 / (1 + np.exp(-(strength + ease)))
    imagined = np.clip(real + rng.normal(0, noise, (policies, 1)), 0, 1)
    return Arms(
        (rng.random((policies, starts)) < imagined).astype(float), (rng.random((policies, starts)) < real).astype(float)
    )


def test_a_table_of_two_arms_says_everything_twice_the_same() -> None:
    arms = simulated(np.random.default_rng(6), 10, 50)
    first, second = agree(arms, samples=500), agree(arms, samples=500)
    assert first.pearson == second.pearson
    assert first.pearson.value is not None and first.pearson.published is not None
    assert first.pearson.value in first.pearson.published
    assert first.pearson.fisher is not None and first.pearson.fisher.low >= first.pearson.published.low
    assert first.pearson.p_permutation is not None and first.pearson.p_permutation < 0.01
    assert first.mmrv_interval is not None and first.ceiling is not None
    assert first.policies == 10 and first.warnings == ()


def test_policies_that_never_succeed_are_left_out_of_the_second_table() -> None:
    arms = simulated(np.random.default_rng(7), 8, 50)
    arms.reference[:3] = 0.0
    arms.imagined[:3] = 0.0
    whole, able = agree(arms, samples=200), agree_among_successful(arms, samples=200)
    assert able is not None
    assert (whole.policies, able.policies) == (8, 5)
    assert "ANECDOTAL" in able.warnings
    nobody = Arms(arms.imagined, np.zeros_like(arms.reference))
    assert agree_among_successful(nobody, samples=200) is None


def test_a_constant_arm_has_no_correlation_and_is_said() -> None:
    arms = simulated(np.random.default_rng(8), 6, 30)
    found = agree(Arms(np.zeros_like(arms.imagined), arms.reference), samples=200)
    assert found.pearson.value is None and found.pearson.published is None and found.spearman.value is None
    assert found.mmrv is not None and found.mmrv > 0
    assert {"CONSTANT_SERIES", "WEAK_EVIDENCE", "WEAK_TRIALS"} <= set(found.warnings)


def test_three_policies_have_a_correlation_and_no_interval() -> None:
    found = agree(simulated(np.random.default_rng(9), 3, 50), samples=200)
    assert found.pearson.value is not None and found.pearson.fisher is None and found.pearson.bootstrap is None
    assert "TOO_FEW_SAMPLES" in found.warnings


def test_a_start_that_one_arm_did_not_decide_is_left_out_of_both() -> None:
    arms = Arms(np.array([[1.0, np.nan, 1.0]]), np.array([[0.0, 1.0, 1.0]]))
    assert arms.dropped_pairs == 1
    assert [rates.tolist() for rates in arms.rates()] == [[1.0], [0.5]]
    with pytest.raises(InputError, match="without outcomes"):
        Arms(np.array([[np.nan]]), np.array([[1.0]])).rates()


def test_arms_that_are_no_pairs_or_no_outcomes_are_refused() -> None:
    with pytest.raises(InputError, match="shapes"):
        Arms(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(InputError, match="threshold"):
        Arms(np.full((2, 3), 0.5), np.zeros((2, 3)))
    assert Arms(np.zeros((2, 3)), np.zeros((2, 4)), paired=False).dropped_pairs == 0


def test_resampled_starts_keep_pairs_together() -> None:
    outcomes_ = (np.random.default_rng(10).random((4, 30)) < 0.5).astype(float)
    rng = np.random.default_rng(0)
    for draw in (over_starts, over_policies_and_starts):
        imagined, reference = draw(Arms(outcomes_, outcomes_), rng, 50)
        assert (imagined == reference).all()
        imagined, reference = draw(Arms(outcomes_, outcomes_, paired=False), rng, 50)
        assert (imagined != reference).any()


@pytest.mark.parametrize("policies", [6, 12, 20])
def test_published_intervals_cover_the_true_correlation(policies: int) -> None:
    """True is what policies without number and this many starts each would show."""
    rng = np.random.default_rng(11)
    many = simulated(rng, 40_000, 50, noise=0.15)
    truth = float(np.corrcoef(*many.rates())[0, 1])
    runs, covered = 200, 0
    for _ in range(runs):
        arms = simulated(rng, policies, 50, noise=0.15)
        r = correlation.pearson(**dict(zip(("imagined", "reference"), arms.rates(), strict=True)))
        assert r is not None
        fisher = correlation.fisher_interval(r, policies)
        replicates = correlation.pearson_rows(*over_policies_and_starts(arms, rng, 200))
        assert fisher is not None
        low, high = np.nanpercentile(replicates, (2.5, 97.5))
        covered += min(fisher.low, low) <= truth <= max(fisher.high, high)
    assert covered / runs >= 0.95
