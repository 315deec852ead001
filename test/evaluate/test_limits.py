"""A figure against its limits, and an evaluation's options."""

import math

import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.evaluation import EvaluationOptions
from lingbot_ros.evaluate.limits import Check, Relation, all_passed, check_line


@pytest.mark.parametrize(
    ("value", "relation", "minimum", "target", "verdict"),
    [
        (3.0, "<=", 3.0, None, "minimum"),
        (3.1, "<=", 3.0, None, "MISS"),
        (3.0, "<=", 4.0, 3.0, "target"),
        (3.5, "<=", 4.0, 3.0, "minimum"),
        (0.8, ">=", 0.8, 0.9, "minimum"),
        (0.95, ">=", 0.8, 0.9, "target"),
        (0.0, ">", 0.0, None, "MISS"),
        (0.1, ">", 0.0, None, "minimum"),
        (math.nan, "<=", 3.0, 2.0, "MISS"),
        (math.nan, ">=", 3.0, 2.0, "MISS"),
    ],
)
def test_the_verdict(value: float, relation: Relation, minimum: float, target: float | None, verdict: str) -> None:
    check = Check("x", value, relation, minimum, target)
    assert check.verdict == verdict
    assert check.passed is (verdict != "MISS")


def test_a_line_names_the_figure_its_frame_and_its_limit() -> None:
    good, bad = Check("error, px", 1.234, "<=", 2.0, frame=16), Check("IoU", 0.1, ">=", 0.5)
    assert check_line(good) == "  ok    error, px at frame 16: 1.23 (<= 2.0)"
    assert check_line(bad) == "  MISS  IoU: 0.10 (>= 0.5)"
    assert all_passed([good]) and not all_passed([good, bad]) and all_passed([])


@pytest.mark.parametrize("name", ["episodes", "context", "horizon"])
def test_sizes_below_one_are_refused(name: str) -> None:
    sizes = {"episodes": 1, "context": 1, "horizon": 1} | {name: 0}
    with pytest.raises(InputError, match=f"^--{name}: got 0; give 1 or more"):
        EvaluationOptions(seed=0, **sizes)


def test_more_frames_than_memory_holds_are_refused() -> None:
    """Images of 99,999,999 frames were asked for: 2.5 TiB, and a MemoryError."""
    with pytest.raises(InputError, match="--horizon: got 99999999; give at most 10000"):
        EvaluationOptions(episodes=2, seed=0, context=4, horizon=99_999_999)
