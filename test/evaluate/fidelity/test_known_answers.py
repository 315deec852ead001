"""Worlds with one known defect each: every one is caught by its detector, and a sound world by none."""

from functools import cache

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.fidelity.causality import latency_frames, looks_ahead
from lingbot_ros.evaluate.fidelity.horizon import usable_horizon
from lingbot_ros.evaluate.fidelity.inverse import Following, action_following, relative_following
from lingbot_ros.evaluate.fidelity.sensitivity import BLIND_BELOW, effect_ratio, psnr_gain_db
from lingbot_ros.evaluate.image_metrics.pixels import psnr_db, skill
from test.support.scrolling_world import ScrollingWorld, read_motion

SCENES, STEPS = range(8), 24


def actions_of(scene: int, kind: int = 0) -> np.ndarray:
    """A smooth walk that is never at rest, pixels per step."""
    rng = np.random.default_rng([7, scene, kind])
    return np.cumsum(rng.normal(0, 0.7, (STEPS, 2)), axis=0) + rng.normal(0, 2, 2)


@cache
def played(defect: str, scene: int, kind: int = 0, seed: int = 0) -> np.ndarray:
    return ScrollingWorld(defect).play(scene, actions_of(scene, kind), seed)


def ratio(defect: str) -> float:
    found = effect_ratio(
        other_actions=[(played(defect, s), played(defect, s, kind=1, seed=1)) for s in SCENES],
        other_seeds=[(played(defect, s), played(defect, s, seed=1)) for s in SCENES],
    )
    assert found is not None
    return found


def gain_db(defect: str) -> float:
    right, wrong, true = ([played(d, s, k) for s in SCENES] for d, k in ((defect, 0), (defect, 1), ("oracle", 0)))
    found = psnr_gain_db(right=right, wrong=wrong, reference=true)
    assert found is not None
    return found


def following(defect: str) -> Following:
    estimated = np.concatenate([read_motion(played(defect, scene)) for scene in SCENES])
    return action_following(estimated=estimated, commanded=np.concatenate([actions_of(scene) for scene in SCENES]))


def skills(defect: str) -> float:
    found = [skill(imagined=played(defect, scene), reference=played("oracle", scene)) for scene in SCENES]
    return float(np.mean([value for value in found if value is not None]))


def test_a_sound_world_is_caught_by_nothing() -> None:
    oracle = following("oracle")
    assert skills("oracle") == 1.0 and ratio("oracle") > 20 and gain_db("oracle") > 20
    assert oracle.mean is not None and oracle.mean > 0.8 and (oracle.r2 > 0.9).all()
    assert skills("noise") > 0.98
    assert relative_following(imagined=following("noise"), reference=oracle) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("defect", ["blind", "mean_action", "freeze"])
def test_a_world_that_ignores_its_actions_is_blind(defect: str) -> None:
    assert ratio(defect) < BLIND_BELOW and gain_db(defect) < 0.5
    found = following(defect).mean
    assert found is not None and found < 0.2


def test_a_smaller_a_late_and_a_mirrored_answer_are_told_apart() -> None:
    oracle, gain, lag, mirror = (following(defect) for defect in ("oracle", "gain", "lag", "mirror"))
    assert gain.mean is not None and oracle.mean is not None and lag.mean is not None
    assert gain.mean < oracle.mean - 0.2 and skills("gain") < 0.9
    assert lag.mean < oracle.mean - 0.3
    assert mirror.r2[0] < -1 and mirror.r2[1] > 0.9
    assert ratio("mirror") > 20  # which does not notice


def test_drift_shows_in_skill_and_in_the_horizon() -> None:
    def decibels(defect: str, scene: int) -> list[float]:
        pairs = zip(played(defect, scene)[1:], played("oracle", scene)[1:], strict=True)
        return [psnr_db(imagined=a, reference=b) for a, b in pairs]

    values = {name: np.array([decibels(name, scene) for scene in SCENES]) for name in ("noise", "drift")}
    sound, drift = (usable_horizon(values[name], 24.0, np.random.default_rng(0)) for name in ("noise", "drift"))
    assert sound.usable_frames == STEPS and abs(sound.slope_per_frame) < 0.05
    assert 2 < drift.usable_frames < STEPS and drift.slope_per_frame < -0.3
    assert drift.interval is not None
    assert drift.interval.low - 1 <= drift.usable_frames <= drift.interval.high + 1
    assert skills("drift") < 0.99


def changed_at(step: int, scene: int = 0) -> tuple[np.ndarray, np.ndarray]:
    first = actions_of(scene)
    second = first.copy()
    second[step:] += 4
    return first, second


@pytest.mark.parametrize(
    ("defect", "ahead", "late"), [("oracle", False, 0), ("lag", False, 4), ("look_ahead", True, 0)]
)
def test_when_an_action_takes_effect(defect: str, ahead: bool, late: int) -> None:
    first, second = (ScrollingWorld(defect).play(0, actions) for actions in changed_at(8))
    assert looks_ahead(first, second, 8) is ahead
    assert latency_frames(first, second, 8) == late


def test_what_has_no_effect_has_no_latency() -> None:
    first, second = (ScrollingWorld("freeze").play(0, actions) for actions in changed_at(8))
    assert latency_frames(first, second, 8) is None


def test_too_little_says_nothing_and_other_shapes_are_refused() -> None:
    pair = (played("oracle", 0), played("oracle", 0, kind=1))
    assert effect_ratio(other_actions=[pair] * 7, other_seeds=[pair] * 7) is None
    assert psnr_gain_db(right=[pair[0]], wrong=[pair[1]], reference=[pair[0]]) is None
    still = action_following(estimated=np.ones((5, 2)), commanded=np.zeros((5, 2)))
    assert still.mean is None and relative_following(imagined=still, reference=still) is None
    with pytest.raises(InputError, match=r"give \[steps, dim\] twice"):
        action_following(estimated=np.zeros((4, 2)), commanded=np.zeros((5, 2)))
