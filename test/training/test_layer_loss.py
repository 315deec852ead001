"""Small parts count, and a past that has left the truth teaches nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lingbot_ros.model.rigid_layers.rigid_layers import LayeredPrediction
from lingbot_ros.training.layer_loss import agreement, layer_loss, motion_error, owner_loss
from lingbot_ros.training.pool import Batch
from test.support.tiny_training import CONFIG

SIZE, FRAMES = 32, 4


def dots(places: list[int]) -> torch.Tensor:
    """Images [1, 3, L, SIZE, SIZE] of a black square 8 pixels wide, so many pixels from the left."""
    images = torch.ones(1, 3, len(places), SIZE, SIZE)
    for number, x in enumerate(places):
        images[0, :, number, 12:20, x : x + 8] = -1
    return images


def dot_parts(images: torch.Tensor) -> torch.Tensor:
    dot = images[:, 0] < 0
    return torch.stack((~dot, dot), dim=1).float()


def batch(real: list[int], imagined: list[int]) -> Batch:
    """A clip whose dot is really and in the imagined past at these places; both begin alike."""
    past = dots([real[0] - 1, *imagined[:-1]])
    condition = torch.cat((past, past), dim=1)
    return Batch(dots(real), condition, torch.zeros(1, FRAMES, 2, 2), torch.ones(1, FRAMES, 1, 3), np.array([0]))


def test_a_past_agrees_as_far_as_its_things_are_where_they_were() -> None:
    share = agreement(batch([2, 4, 6, 8], imagined=[2, 6, 14, 8]), dot_parts)
    assert share.shape == (1, 1, FRAMES, 1, 1)
    # The last frame's own image is a result, not a past. Two of eight pixels off: an overlap of 6 / 10.
    assert share.flatten().tolist() == pytest.approx([1, 1, (0.6 - 0.4) / 0.3, 0])


def test_a_thing_that_is_not_there_agrees_if_it_is_not_imagined_either() -> None:
    nowhere = batch([SIZE] * FRAMES, [SIZE] * FRAMES)
    assert agreement(nowhere, dot_parts).flatten().tolist() == [1] * FRAMES


def test_a_motion_is_not_asked_of_a_frame_whose_past_is_not_that_of_the_data() -> None:
    lost = batch([2, 4, 6, 8], imagined=[2, 6, 14, 8])
    motions = torch.zeros(FRAMES, 1, 3, requires_grad=True)
    made = LayeredPrediction(torch.empty(0), motions, torch.zeros(FRAMES, 2, SIZE, SIZE))
    layer_loss(made, lost, None, agreement(lost, dot_parts), replace(CONFIG, motion_weight=1.0)).backward()
    asked = motions.grad.abs().sum((1, 2))  # type: ignore[union-attr]
    assert asked[0] == asked[1] > asked[2] > asked[3] == 0


def test_turns_count_by_what_they_move() -> None:
    one = torch.ones(1, 1, 1)
    shifted = motion_error(torch.tensor([[[1.2, 0.0, 0.0]]]), torch.zeros(1, 1, 3), one)
    turned = motion_error(torch.tensor([[[0.0, 0.0, 0.1]]]), torch.zeros(1, 1, 3), one)
    assert shifted == pytest.approx(float(turned))


def test_a_part_counts_by_the_root_of_its_size() -> None:
    """Missing all of a thing a hundredth of an image large costs as much as missing a tenth of the rest."""
    owners = torch.zeros(1, 2, 10, 10)
    owners[:, 0], owners[:, 0, 0, 0], owners[:, 1, 0, 0] = 1, 0, 1
    unsure = torch.zeros(1, 2, 10, 10, requires_grad=True)
    owner_loss(unsure, owners).backward()
    by_part = (unsure.grad.abs()[:, 0] * owners).sum((0, 2, 3))  # type: ignore[union-attr]
    assert float(by_part[0] / by_part[1]) == pytest.approx(99**0.5, rel=1e-4)
