"""Rotary angles against the published golden values (model_spec 3.7, 7.1 step 6, 7.2)."""

from pathlib import Path

import numpy as np
import torch

from lingbot_ros.model.embedding import sinusoid
from lingbot_ros.model.rope import axis_angles, axis_pairs, rope_angles, rope_tables, rotate


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


def test_tables_and_rotation_are_the_official_ones() -> None:
    official = dict(np.load(Path(__file__).parents[1] / "data" / "conformance" / "schedule_rope_time.npz"))
    positions = torch.from_numpy(official["rope_positions"])
    angles = torch.cat([axis_angles(positions, pairs) for pairs in axis_pairs(128)], dim=1)
    assert np.abs(angles.cos().numpy() - official["rope_cos"]).max() < 1e-12
    assert np.abs(angles.sin().numpy() - official["rope_sin"]).max() < 1e-12
    frames, rows, columns = official["rope_grid"].tolist()
    x = torch.from_numpy(official["rope_in"]).transpose(0, 1)[None]
    rotated = rotate(x, *rope_tables(torch.arange(frames), rows, columns, 128))
    assert np.abs(rotated[0].transpose(0, 1).numpy() - official["rope_out"]).max() < 2e-6


def test_time_features_are_the_official_ones() -> None:
    official = dict(np.load(Path(__file__).parents[1] / "data" / "conformance" / "schedule_rope_time.npz"))
    features = sinusoid(torch.from_numpy(official["sinusoid_t"]), 256)
    assert np.abs(features.numpy() - official["sinusoid_rows"]).max() < 1e-12
