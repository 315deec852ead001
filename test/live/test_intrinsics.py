"""Intrinsics of ROS (pixel centres are whole numbers) as the core takes them (centres at one half)."""

import numpy as np

from lingbot_ros.live.intrinsics import focal_and_centre, scale_intrinsics

WHOLE = np.array([[400.0, 0, 399.5], [0, 300, 299.5], [0, 0, 1]])  # the centre of a picture of 600 x 800


def test_the_centre_of_a_picture_stays_its_centre() -> None:
    assert focal_and_centre(WHOLE) == (400.0, 300.0, 400.0, 300.0)
    assert focal_and_centre(scale_intrinsics(WHOLE, (600, 800), (300, 200))) == (100.0, 150.0, 100.0, 150.0)


def test_unknown_stays_unknown() -> None:
    assert focal_and_centre(scale_intrinsics(None, (1, 1), (2, 2))) is None
