"""Rotary angles against the published golden values (spec 3.7, 10.3 item 6, 10.4)."""

import torch

from lingbot_ros.model.rope import axis_pairs, rope_angles, rope_tables, rotate


def test_head_dimension_128_splits_into_22_21_21_pairs() -> None:
    assert axis_pairs(128) == (22, 21, 21)


def test_golden_angles() -> None:
    angles = rope_angles(torch.tensor([7]), rows=6, columns=1, head_dim=128)[5]  # frame 7, row 5, column 0
    expected = {0: 7.0, 1: 4.605533, 21: 0.001064, 22: 5.0, 23: 3.224733, 42: 0.000775, 43: 0.0}
    for pair, value in expected.items():
        assert abs(angles[pair].item() - value) < 1e-6


def test_a_later_chunk_is_a_slice_of_one_long_sequence() -> None:
    whole = rope_angles(torch.arange(12), 2, 3, 64)
    later = rope_angles(torch.arange(7, 12), 2, 3, 64)
    assert torch.equal(later, whole[7 * 6 :])


def test_time_has_no_end() -> None:
    cos, sin = rope_tables(torch.tensor([1500, 10_000_000]), 2, 2, 128)
    assert torch.isfinite(cos).all() and torch.isfinite(sin).all()


def test_rotation_equals_complex_multiplication_of_adjacent_pairs() -> None:
    x = torch.randn(1, 2, 6, 64, dtype=torch.float64)
    angles = rope_angles(torch.arange(3), 2, 1, 64)
    reference = torch.view_as_real(
        torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous()) * torch.polar(torch.ones_like(angles), angles)
    ).flatten(-2)
    rotated = rotate(x.float(), angles.cos().float(), angles.sin().float())
    assert (rotated - reference).abs().max() < 1e-5
