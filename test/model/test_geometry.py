"""Sizes of the released family (model_spec 2, 7.1 step 3)."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.model.geometry import frames_of_latents, latent_size, whole_chunk_latents

DATA = Path(__file__).parents[1] / "data" / "conformance"


def test_sizes_of_the_released_pipeline() -> None:
    rows = np.load(DATA / "schedule_rope_time.npz")["geometry_H_W_area_lath_latw"]
    assert len(rows) == 24
    for height, width, area, rows_expected, columns_expected in rows.tolist():
        assert latent_size(height, width, area) == (rows_expected, columns_expected), (height, width, area)


def test_a_wide_image_and_an_exact_one_both_become_58_x_104() -> None:
    assert latent_size(1080, 1920, 480 * 832) == (58, 104)
    assert latent_size(480, 832, 480 * 832) == (58, 104)  # rounding decides
    assert latent_size(1080, 1920, 704 * 1280) == (88, 158)


@pytest.mark.parametrize(
    ("frames", "chunk", "latents"), [(21, 4, 4), (13, 4, 4), (29, 4, 8), (9, 3, 3), (20, 3, 3), (81, 3, 21)]
)
def test_clips_are_cut_to_whole_chunks(frames: int, chunk: int, latents: int) -> None:
    assert whole_chunk_latents(frames, chunk) == latents


def test_21_frames_in_chunks_of_4_become_13() -> None:
    assert frames_of_latents(whole_chunk_latents(21, 4)) == 13


@pytest.mark.parametrize("frames", [5, 9])
def test_a_clip_shorter_than_a_chunk_is_refused(frames: int) -> None:
    with pytest.raises(InputError, match="13"):
        whole_chunk_latents(frames, 4)
