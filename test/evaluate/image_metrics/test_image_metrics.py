"""Metrics of images: known values, and the defect that each is there to see."""

import cv2
import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.image_metrics import appearance, frechet, pixels

RNG = np.random.default_rng(0)
IMAGE = cv2.resize(RNG.integers(0, 256, (12, 12, 3), np.uint8), (96, 96), interpolation=cv2.INTER_CUBIC)


def test_psnr() -> None:
    assert pixels.psnr_of_mse(1.0) == pytest.approx(48.130804, abs=1e-6)
    assert pixels.psnr_db(imagined=IMAGE, reference=IMAGE) == 100.0
    brighter = np.full_like(IMAGE, 101)
    assert pixels.psnr_db(imagined=brighter, reference=np.full_like(IMAGE, 100)) == pytest.approx(48.130804, abs=1e-6)
    assert pixels.mae(imagined=brighter, reference=np.full_like(IMAGE, 100)) == 1.0


def test_ssim() -> None:
    ramp = (np.arange(64)[:, None] + np.arange(64)).astype(np.uint8)
    assert pixels.ssim(imagined=ramp, reference=ramp + np.uint8(10)) == pytest.approx(0.983295, abs=1e-6)
    assert pixels.ssim(imagined=IMAGE, reference=IMAGE) == pytest.approx(1.0)
    assert pixels.ssim_rgb(imagined=IMAGE, reference=IMAGE) == pytest.approx(1.0)
    assert pixels.ssim(imagined=cv2.GaussianBlur(IMAGE, (0, 0), 4), reference=IMAGE) < 0.9
    with pytest.raises(InputError, match="more than 10 pixels"):
        pixels.ssim(imagined=IMAGE[:10], reference=IMAGE[:10])


def test_grey_frames_of_all_channels_have_the_same_similarity() -> None:
    grey, other = (np.repeat(frame[..., :1], 3, axis=2) for frame in (IMAGE, IMAGE[::-1]))
    by_luma = pixels.ssim(imagined=grey, reference=other)
    assert pixels.ssim_rgb(imagined=grey, reference=other) == pytest.approx(by_luma)


def shifting(count: int) -> np.ndarray:
    return np.stack([np.roll(IMAGE, 3 * step, axis=1) for step in range(count)])


def test_skill_is_above_0_only_for_what_beats_a_frozen_frame() -> None:
    video = shifting(6)
    frozen = np.repeat(video[:1], 6, axis=0)
    assert pixels.skill(imagined=video, reference=video) == 1.0
    assert pixels.skill(imagined=frozen, reference=video) == 0.0
    noise = RNG.integers(0, 256, video.shape, np.uint8)
    found = pixels.skill(imagined=noise, reference=video)
    assert found is not None and found < 0
    assert pixels.skill(imagined=frozen, reference=frozen) is None


def test_motion_is_compared_where_it_happens() -> None:
    video = shifting(4)
    frozen = np.repeat(video[:1], 4, axis=0)
    assert pixels.motion_iou(imagined=video, reference=video) == 1.0
    assert pixels.motion_iou(imagined=frozen, reference=video) == 0.0
    assert pixels.motion_iou(imagined=frozen, reference=frozen) is None


def test_flicker() -> None:
    still = np.repeat(IMAGE[None], 4, axis=0)
    assert appearance.flicker(still) == 1.0
    assert appearance.flicker(still[:1]) is None
    blinking = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (0, 51, 0)])
    assert appearance.flicker(blinking) == pytest.approx(0.8)


def test_looks_over_time_show_blur_fading_and_noise() -> None:
    blurred = np.stack([IMAGE, cv2.GaussianBlur(IMAGE, (0, 0), 3)])
    dim = np.stack([IMAGE, IMAGE // 2])
    grey = np.stack([IMAGE, np.repeat(pixels.luma(IMAGE)[..., None], 3, axis=2).astype(np.uint8)])
    noisy = np.stack([IMAGE, np.clip(IMAGE + RNG.normal(0, 20, IMAGE.shape), 0, 255).astype(np.uint8)])
    assert appearance.sharpness_ratio(blurred)[1] < 0.5
    assert appearance.sharpness_ratio(noisy)[1] > 2
    fine = cv2.GaussianBlur(RNG.integers(0, 256, (96, 96, 3), np.uint8), (0, 0), 0.7)
    assert appearance.spectral_slope_shift(np.stack([fine, cv2.GaussianBlur(fine, (0, 0), 1)]))[1] < -0.5
    assert appearance.spectral_slope_shift(noisy)[1] > 0.5
    assert appearance.contrast_ratio(dim)[1] == pytest.approx(0.5, abs=0.02)
    assert appearance.exposure_shift(dim)[1] == pytest.approx(-pixels.luma(IMAGE).mean() / 2, abs=1)
    assert appearance.saturation_ratio(grey)[1] == 0.0
    for figure in (appearance.sharpness_ratio, appearance.contrast_ratio, appearance.saturation_ratio):
        assert figure(blurred)[0] == 1.0
        assert np.isnan(figure(np.zeros((2, 16, 16, 3), np.uint8))).all()


def test_frechet_distance() -> None:
    assert frechet.frechet_of_moments(0, 1, 3, 4) == pytest.approx(10)
    found = frechet.frechet_of_moments((0, 0), [[2, 0.5], [0.5, 1]], (1, -1), [[1, 0], [0, 3]])
    assert found == pytest.approx(2.808853, abs=1e-6)
    features = RNG.normal(size=(3000, 4))
    assert frechet.frechet_distance(imagined=features, reference=features) == pytest.approx(0, abs=1e-6)
    assert frechet.frechet_distance(imagined=features[:100], reference=features) is None


def test_frames_of_other_shapes_or_types_are_refused() -> None:
    with pytest.raises(InputError, match="uint8 frames of the same shape"):
        pixels.mse(imagined=IMAGE, reference=IMAGE[:50])
    with pytest.raises(InputError, match="uint8 frames of the same shape"):
        pixels.mse(imagined=IMAGE.astype(float), reference=IMAGE)  # type: ignore[arg-type]
