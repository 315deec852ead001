"""What trust is made of, and what it is worth."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.tasks.pusht.report.trust_calibration import (
    FRAMES,
    RIGHT_PX,
    Doubts,
    calibrate_trust,
    measure_doubts,
    trust_spec,
)
from lingbot_ros.world import World


def made_up(rollouts: int, seed: int) -> Doubts:
    """Rollouts whose errors grow with what is doubted, more or less."""
    rng = np.random.default_rng(seed)
    doubts = np.maximum.accumulate(rng.exponential(0.02, (rollouts, FRAMES)).cumsum(1), axis=1)
    return Doubts(doubts * rng.lognormal(0, 0.3, (rollouts, 1)), doubts)


def test_the_half_that_calibrates_sets_the_doubts_and_the_other_one_says_what_they_are_worth() -> None:
    calibration, test = made_up(200, 0), made_up(400, 1)
    spec = trust_spec(calibration, test)
    assert len(spec.doubts_px) == (calibration.errors_px <= RIGHT_PX).all(1).sum()
    assert spec.measured["right_rollouts_doubted"] == pytest.approx(0.1, abs=0.06)
    assert spec.measured["wrong_of_believed"] < spec.measured["wrong_of_as_many_first_frames"]
    assert spec.measured["auroc"] > spec.measured["auroc_of_frame_index"]


def test_too_few_right_rollouts_are_refused() -> None:
    with pytest.raises(InputError, match="rollouts: got 8"):
        trust_spec(made_up(8, 0), made_up(8, 1))


@pytest.mark.model
def test_doubts_are_measured_beside_the_simulator() -> None:
    world = World.load("pusht-lasting", threads=1)
    doubts = measure_doubts(world, 2, seed=9)
    assert doubts.errors_px.shape == doubts.doubts_px.shape == (2, FRAMES)
    assert (np.diff(doubts.doubts_px, axis=1) >= 0).all() and np.isfinite(doubts.errors_px).all()
    assert doubts.errors_px[:, 0].max() < RIGHT_PX and not world.sessions
    with pytest.raises(InputError, match="rollouts"):
        calibrate_trust(world, 1, seed=0)


def test_networks_doubt_nothing() -> None:
    with pytest.raises(InputError, match="only worlds of rigid layers"):
        measure_doubts(World.load("pusht-small", threads=1), 1, seed=0)
