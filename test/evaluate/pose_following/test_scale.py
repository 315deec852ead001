"""Distances compared on clips that were rendered exactly."""

import numpy as np
import pytest

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.pose_following.scale import distance_ratio
from test.evaluate.pose_following.test_clips import CAMERA, path, render


def clip(forward_m: float, right_m: float = 0.0, yaw_deg: float = 0.0) -> list[np.ndarray]:
    return [render(pose) for pose in path(yaw_deg, forward_m, right_m, frames=17)]


@pytest.mark.parametrize("share", [0.5, 1.0, 1.6])
@pytest.mark.parametrize(("forward_m", "right_m"), [(0.06, 0.0), (0.04, 0.03)])
def test_the_ratio_of_two_drives_is_found_within_five_percent(share: float, forward_m: float, right_m: float) -> None:
    found = distance_ratio(clip(forward_m, right_m), clip(share * forward_m, share * right_m), CAMERA)
    assert found.ratio == pytest.approx(share, rel=0.05)
    assert found.points >= 30 and found.spread < 0.2


def test_a_camera_that_stands_cannot_tell() -> None:
    with pytest.raises(InputError, match="imagined clip: got no parallax"):
        distance_ratio(clip(0.06), clip(0.0), CAMERA)


def test_images_without_anything_in_them_cannot_tell() -> None:
    with pytest.raises(InputError, match="clip: got 0 tracked points"):
        distance_ratio([np.zeros((240, 416, 3), np.uint8)] * 9, clip(0.06), CAMERA)
