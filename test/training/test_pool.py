"""The rollout pool: what a clip is conditioned on after each draw, and when it is replaced."""

import numpy as np
import torch

from lingbot_ros.training.pool import Clip, RolloutPool, to_float, to_uint8

LENGTH = 4


class Counting:
    """Clips whose every pixel says which clip (tens) and which frame (ones) it is."""

    def __init__(self) -> None:
        self.made = 0

    def sample(self, rng: np.random.Generator) -> Clip:
        self.made += 1
        frames = np.stack([np.full((8, 8, 3), 10 * self.made + t, np.uint8) for t in range(LENGTH + 2)])
        actions = np.array([[self.made, t] for t in range(LENGTH + 1)], np.float32)
        return Clip(frames, actions)


def pixel(tensor: torch.Tensor) -> list[int]:
    """Values along time of the first pixel of [B, C, L, H, W], first clip and channel, in 8 bits."""
    return [round((value + 1) * 127.5) for value in tensor[0, 0, :, 0, 0].tolist()]


def test_alignment_of_targets_conditions_and_actions() -> None:
    batch = RolloutPool(Counting(), size=1, seed=0, still_start=0.0).draw(1, max_depth=0)
    assert pixel(batch.target) == [12, 13, 14, 15]
    assert pixel(batch.condition[:, :3]) == [11, 12, 13, 14]
    assert pixel(batch.condition[:, 3:]) == [10, 11, 12, 13]
    assert batch.actions[0, :, 0, 1].tolist() == [1, 2, 3, 4]  # actions[t] leads to frames[t + 1]
    assert batch.actions[0, :, 1, 1].tolist() == [0, 1, 2, 3]


def test_a_still_start_shows_one_image_twice() -> None:
    batch = RolloutPool(Counting(), size=1, seed=0, still_start=1.0).draw(1, max_depth=0)
    assert pixel(batch.condition[:, 3:])[:2] == [11, 11]
    assert batch.actions[0, 0, :, 1].tolist() == [1, 1]


def test_predictions_become_the_past_and_context_stays_real() -> None:
    pool = RolloutPool(Counting(), size=1, seed=0, still_start=0.0)
    batch = pool.draw(1, max_depth=5)
    predicted = to_float(torch.full((1, LENGTH, 8, 8, 3), 200, dtype=torch.uint8))
    pool.update(batch, predicted)
    again = pool.draw(1, max_depth=5)
    assert pixel(again.target) == [12, 13, 14, 15]
    assert pixel(again.condition[:, :3]) == [11, 200, 200, 200]
    assert pixel(again.condition[:, 3:]) == [10, 11, 200, 200]


def test_a_clip_is_replaced_once_it_is_deep_enough() -> None:
    source = Counting()
    pool = RolloutPool(source, size=1, seed=0, still_start=0.0)
    for _ in range(3):  # depths 0, 1, 2
        batch = pool.draw(1, max_depth=2)
        assert source.made == 1
        pool.update(batch, batch.target)
    assert pixel(pool.draw(1, max_depth=2).target) == [22, 23, 24, 25]
    assert source.made == 2


def test_eight_bits_survive_the_round_trip() -> None:
    frames = torch.arange(192, dtype=torch.uint8).reshape(1, 1, 8, 8, 3)
    assert torch.equal(to_uint8(to_float(frames)), frames)
    assert to_uint8(torch.full((1, 3, 1, 1, 1), 7.0)).max() == 255


def test_known_motions_stay_with_their_clip() -> None:
    class Moving(Counting):
        def sample(self, rng: np.random.Generator) -> Clip:
            clip = super().sample(rng)
            return Clip(clip.frames, clip.actions, np.full((LENGTH, 2, 3), self.made, np.float32))

    pool = RolloutPool(Moving(), size=1, seed=0, still_start=1.0)
    batch = pool.draw(1, max_depth=0)
    assert batch.motions is not None and batch.motions.shape == (1, LENGTH, 2, 3) and batch.motions.max() == 1
    pool.update(batch, batch.target)
    again = pool.draw(1, max_depth=0)
    assert again.motions is not None and again.motions.min() == 2
