"""Intrinsics of ROS (pixel centres are whole numbers) as the core takes them (centres at one half), and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.control.rays import stretch_intrinsics
from lingbot_ros.errors import InputError
from lingbot_ros.runtime.intrinsics import CameraDefaults, focal_and_centre, pinhole_matrix, scale_intrinsics

WHOLE = np.array([[400.0, 0, 399.5], [0, 300, 299.5], [0, 0, 1]])  # the centre of an image of 600 x 800


def test_the_centre_of_a_image_stays_its_centre() -> None:
    assert focal_and_centre(WHOLE) == (400.0, 300.0, 400.0, 300.0)
    scaled = scale_intrinsics(WHOLE, (600, 800), (300, 200))
    assert scaled is not None
    assert focal_and_centre(scaled) == (100.0, 150.0, 100.0, 150.0)


def test_unknown_stays_unknown() -> None:
    assert scale_intrinsics(None, (1, 1), (2, 2)) is None


@given(
    st.tuples(*[st.floats(1, 5000)] * 4), st.tuples(*[st.integers(1, 4000)] * 2), st.tuples(*[st.integers(1, 4000)] * 2)
)
def test_both_conventions_stretch_alike(
    camera: tuple[float, float, float, float], size: tuple[int, int], new_size: tuple[int, int]
) -> None:
    scaled = scale_intrinsics(pinhole_matrix(camera), size, new_size)
    assert scaled is not None
    np.testing.assert_allclose(focal_and_centre(scaled), stretch_intrinsics(np.array(camera), size, new_size))


def test_a_skewed_camera_is_refused() -> None:
    skewed = WHOLE.copy()
    skewed[0, 1] = 2.0
    with pytest.raises(InputError, match="skew"):
        focal_and_centre(skewed)


def test_images_without_intrinsics_get_the_configured_ones_or_are_refused() -> None:
    assert CameraDefaults().of_image((240, 416)) == (250.0, 250.0, 208.0, 120.0)
    with pytest.raises(InputError, match=r"camera\.intrinsics"):
        CameraDefaults((0.0, 0.0, 0.0, 0.0)).of_image((240, 416))
