"""What a world says of how far it can be believed."""

import math

import numpy as np
import pytest

from lingbot_ros.checkpoints.trust import FARTHEST_PX, LEAST_TRUST, TrustSpec
from lingbot_ros.world import Batch, World
from lingbot_ros.world.snapshot import Snapshot

DOUBTS = tuple(k / 10 for k in range(1, 20))


def test_trust_is_the_share_of_right_rollouts_that_were_doubted_as_much() -> None:
    spec = TrustSpec(1.0, 64, DOUBTS)
    assert spec.of(0.0) == 1.0 and spec.of(1.0) == pytest.approx(11 / 20) and spec.of(math.inf) == pytest.approx(1 / 20)
    unsure = TrustSpec(1.0, 64, (*DOUBTS, FARTHEST_PX))  # a right rollout in which an image was not understood
    assert unsure.of(math.inf) == pytest.approx(2 / 21)
    assert "within 1 px for 64 frames" in spec.definition


def test_of_right_rollouts_no_more_than_a_tenth_is_doubted_at_any_time() -> None:
    doubts = np.random.default_rng(0).lognormal(size=(2000, 60))
    doubted = [TrustSpec(1.0, 64, tuple(sorted(row[:-1]))).of(row[-1]) < LEAST_TRUST for row in doubts]
    assert np.mean(doubted) == pytest.approx(LEAST_TRUST, abs=0.02)


@pytest.mark.parametrize(("doubts", "why"), [(DOUBTS[:8], "8 rollouts"), (DOUBTS[::-1], "must ascend")])
def test_a_calibration_that_cannot_hold_is_refused(doubts: tuple[float, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TrustSpec(1.0, 64, doubts)


@pytest.mark.model
def test_trust_falls_where_a_push_is_uncertain_and_comes_back_with_a_real_image() -> None:
    world = World.load("pusht-lasting", threads=1)
    image = world.seed_image()
    still, pushed, batch = world.start(image), world.start(image), Batch(world, 2)
    batch.start(0, image), batch.start(1, image)
    x, y = pushed.rollout_state.bodies.poses[0, 1, :2].tolist()  # the block
    way = [[(x + 0.5) * 512 / 96, (y + 0.5) * 512 / 96 + swing] for swing in (80, -80, 80, -80)]
    before = still.rollout_state.bodies.poses[0, 0, :2].numpy()
    for goal in np.repeat(way, 5, axis=0):
        pushed.step(goal[None])
        still.step((before + 0.5)[None] * 512 / 96)
        batch.step(np.stack([goal, goal])[:, None])
    assert still.trust > 0.9 and pushed.trust < 0.5
    assert batch.session(1).trust == pytest.approx(pushed.trust, abs=0.02)
    assert world.restore(pushed.snapshot()).trust == pushed.fork().trust == pushed.trust
    pushed.observe(image[None], goal[None])
    assert pushed.trust > 0.9
    pushed.observe(np.full_like(image, 255)[None], goal[None])  # nothing is to be seen in it
    assert pushed.trust < LEAST_TRUST
    assert isinstance(pushed.snapshot(), Snapshot)
