"""Solvers against worked examples and problems whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingbot_ros.errors import InputError
from lingbot_ros.planning.futures import Floats, Futures
from lingbot_ros.planning.noise import coloured, generator
from lingbot_ros.planning.parametrisation import Knots, RawActions
from lingbot_ros.planning.plan import Plan, Progress
from lingbot_ros.planning.problem import Problem
from lingbot_ros.planning.solvers import SOLVERS, SolverSettings, blend, path_integral_weights, solve

LOW, HIGH = np.array([-1.0, -1.0]), np.array([1.0, 1.0])
TARGET = np.array([0.6, -0.3])


class Point:
    """A point that its actions move by a tenth each; its path is its pose."""

    def roll(self, actions: Floats) -> Futures:
        path = 0.1 * np.cumsum(actions, axis=1)
        return Futures(actions, poses=np.concatenate([path, np.zeros_like(path[..., :1])], axis=2)[:, :, None])


def distance(futures: Futures) -> Floats:
    assert futures.poses is not None
    return np.linalg.norm(futures.poses[:, -1, 0, :2] - TARGET, axis=1)


def plan(seed: int = 0, max_rows: int = 1024, **given: object) -> Plan:
    problem = Problem(RawActions(10, LOW, HIGH), Point(), distance, max_rows)
    return solve(problem, SolverSettings(**given), seed)  # type: ignore[arg-type]


def test_worked_examples() -> None:
    weights = path_integral_weights(np.array([3.0, 1.0, 2.0, 5.0]), 1.0)
    assert weights == pytest.approx((0.088947, 0.657233, 0.241783, 0.012038), abs=1e-6)
    assert 1 / (weights**2).sum() == pytest.approx(2.006136, abs=1e-6)
    elites = np.array([[1.0, 0.2], [0.5, -0.2]])
    assert blend(elites.mean(axis=0), np.zeros(2), 0.1) == pytest.approx((0.675, 0.0))
    assert blend(elites.std(axis=0), np.ones(2), 0.1) == pytest.approx((0.325, 0.28))


def test_a_candidate_without_a_finite_cost_has_no_weight() -> None:
    assert path_integral_weights(np.array([1.0, np.inf]), 1.0).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("length", [1, 7, 20])
def test_noise_has_unit_variance_at_each_step(beta: float, length: int) -> None:
    noise = coloured(generator(0, 0), 20_000, length, 2, beta)
    assert noise.shape == (20_000, length, 2)
    assert noise.std(axis=0) == pytest.approx(np.ones((length, 2)), abs=0.03)


def test_red_noise_is_smooth() -> None:
    noise = coloured(generator(0, 0), 20_000, 20, 1, 2.0)[..., 0]
    assert np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1] == pytest.approx(0.83, abs=0.02)


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "rank"])
def test_each_solver_finds_the_target(solver: str) -> None:
    found = plan(solver=solver, samples=100, iterations=20)
    assert found.cost < 0.05
    assert found.evaluated == 2000
    assert (np.diff([step.best_cost for step in found.progress]) <= 0).all()


def test_ranking_is_one_round() -> None:
    assert plan(solver="rank", samples=50, iterations=8).evaluated == 50


def test_equal_seeds_give_equal_plans_in_batches_of_any_size() -> None:
    first, again, other = plan(3), plan(3, max_rows=7), plan(4)
    assert first.actions.tolist() == again.actions.tolist()
    assert first.actions.tolist() != other.actions.tolist()


def test_the_result_is_never_worse_than_its_first_mean() -> None:
    problem = Problem(RawActions(10, LOW, HIGH), Point(), distance)
    warm = np.tile([0.6, -0.3], 10)
    assert solve(problem, SolverSettings(samples=2, iterations=1), 0, warm).cost == pytest.approx(0.0, abs=1e-12)


def test_a_cost_that_is_not_finite_is_never_chosen() -> None:
    def broken(futures: Futures) -> Floats:
        costs = distance(futures)
        costs[costs < 0.3] = np.nan
        return costs

    problem = Problem(RawActions(10, LOW, HIGH), Point(), broken)
    assert 0.3 <= solve(problem, SolverSettings(samples=200), 0).cost < 0.5


def test_a_deadline_ends_the_search_with_the_best_so_far() -> None:
    hurried = plan(samples=50, iterations=10_000, deadline_s=0.05)
    assert hurried.deadline_missed
    assert 1 <= len(hurried.progress) < 10_000
    assert hurried.cost == hurried.progress[-1].best_cost
    assert not plan(samples=50, iterations=2, deadline_s=1e9).deadline_missed


class Clock(Point):
    """The point in a world in which time passes only as it is told: so long for each rollout and for each listener."""

    def __init__(self, rolls_s: list[float], listens_s: float = 0.0) -> None:
        self.now_s, self._rolls_s, self._listens_s = 100.0, iter(rolls_s), listens_s

    def roll(self, actions: Floats) -> Futures:
        self.now_s += next(self._rolls_s)
        return super().roll(actions)

    def listen(self, progress: Progress) -> bool:
        self.now_s += self._listens_s
        return True


@pytest.mark.parametrize(
    ("rolls_s", "listens_s", "done", "took_s"),
    [
        pytest.param([0.02] * 9, 0.0, 4, 0.08, id="as many as fit"),
        pytest.param([0.01, 0.03, 0.01, 0.01, 0.01], 0.0, 5, 0.07, id="the slowest one counts"),
        pytest.param([0.01] * 9, 0.02, 3, 0.09, id="a listener takes time too"),
        pytest.param([0.5] * 9, 0.0, 1, 0.5, id="the first one always"),
    ],
)
def test_an_iteration_that_would_end_too_late_is_not_begun(
    rolls_s: list[float], listens_s: float, done: int, took_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(rolls_s, listens_s)
    monkeypatch.setattr("lingbot_ros.planning.solvers.time.perf_counter", lambda: clock.now_s)
    problem = Problem(RawActions(10, LOW, HIGH), clock, distance)
    found = solve(problem, SolverSettings(iterations=20, deadline_s=0.1), 0, on_progress=clock.listen)
    assert len(found.progress) == done and found.deadline_missed
    assert found.wall_s == pytest.approx(took_s)


def test_a_listener_can_end_the_search() -> None:
    problem = Problem(RawActions(10, LOW, HIGH), Point(), distance)
    found = solve(problem, SolverSettings(), 0, on_progress=lambda progress: progress.iteration < 2)
    assert len(found.progress) == 3


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"solver": "adam"}, "solver"),
        ({"samples": 1}, "samples"),
        ({"iterations": 0}, "samples"),
        ({"elites": 0.0}, "elites"),
        ({"deadline_s": 0.0}, "deadline"),
        ({"deadline_s": float("nan")}, "deadline"),
    ],
)
def test_settings_that_make_no_sense_are_refused(given: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as refused:
        SolverSettings(**given)  # type: ignore[arg-type]
    assert refused.value.field == field


@settings(max_examples=60)
@given(
    horizon=st.integers(1, 40),
    spacing=st.integers(1, 12),
    executed=st.integers(1, 12),
    seed=st.integers(0, 1000),
)
def test_knots_pass_through_their_points_and_stay_in_the_box(
    horizon: int, spacing: int, executed: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    knots = Knots(horizon, spacing, rng.uniform(-1, 1, 2), LOW, HIGH, rng.uniform(-1, 1, 2), 0.5, 0.1)
    parameters = rng.uniform(-1, 1, (3, len(knots.mean)))
    actions = knots.decode(parameters)
    assert actions.shape == (3, horizon, 2)
    assert ((actions >= LOW) & (actions <= HIGH)).all()
    for index, frame in enumerate(knots.times.astype(int)):
        assert actions[:, frame - 1] == pytest.approx(parameters[:, 2 * index : 2 * index + 2])
    assert knots.decode(knots.mean[None])[0, -1] == pytest.approx(knots.towards)
    shifted = knots.decode(knots.shifted(parameters[0], executed)[None])[0]
    assert shifted[-1] == pytest.approx(actions[0, -1])
