"""A session's camera: rays folded as officially, carried across chunks (model_spec 3.3, 3.4, 6.4, 7.2)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.control.camera import CameraControl, Lens
from lingbot_ros.control.keys import move_keys, parse_key_script, script_poses
from lingbot_ros.control.poses import framewise_steps, longest_step
from lingbot_ros.control.rays import REFERENCE_SIZE, RayGrid, check_intrinsics, stretch_intrinsics
from lingbot_ros.errors import InputError
from lingbot_ros.model.config import RayControlConfig

DATA = Path(__file__).parents[1] / "data" / "conformance"
SIZES = [(464, 832), (480, 832)]
WIDE = (500.0, 483.3333333333333, 416.0, 232.0)


@pytest.fixture(scope="module")
def official() -> dict[str, NDArray[Any]]:
    return dict(np.load(DATA / "camera.npz"))


def lens_of(intrinsics: NDArray[np.float64], unit_step: float) -> Lens:
    fx, fy, cx, cy = intrinsics.tolist()
    return Lens((fx, fy, cx, cy), unit_step)


def whole_clip(lens: Lens, poses: NDArray[np.float64], size: tuple[int, int], channels: int = 6) -> Tensor:
    """A clip at frame rate as one chunk: rays [channels * 64, f, h, w]."""
    control = CameraControl(RayControlConfig(channels), (len(poses) - 1) // 4 + 1, *size, "cpu", lens)
    return control.encode(poses, len(poses))["rays"][0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("frames", "origin_tolerance"), [(17, 1e-2), (81, 1e-4)])
def test_scene_00(
    official: dict[str, NDArray[Any]], frames: int, origin_tolerance: float, size: tuple[int, int]
) -> None:
    key = f"f{frames}_{size[0]}x{size[1]}"
    intrinsics = stretch_intrinsics(official["intrinsics_source"][0].astype(np.float64), REFERENCE_SIZE, size)
    assert np.abs(intrinsics - official[f"{key}_intrinsics"]).max() < 1e-4
    poses = official["poses_source"][:frames].astype(np.float64)
    rays = whole_clip(lens_of(intrinsics, float(official[f"f{frames}_step_max_float64"])), poses, size)
    cells = torch.stack([rays[:, :, row, column].T for row, column in official["cells_row_col"]], dim=1).numpy()
    expected = official[f"{key}_control_cells"]
    assert np.abs(cells[..., 192:] - expected[..., 192:]).max() < 1e-6
    assert np.abs(cells[..., :192] - expected[..., :192]).max() < origin_tolerance
    for index, (y, x) in enumerate(official["pixels_yx"]):
        inside = [k * 64 + (y % 8) * 8 + x % 8 for k in range(3, 6)]
        direction = rays[inside, :, y // 8, x // 8].T.numpy()
        assert np.abs(direction - official[f"{key}_rays"][:, index, 3:]).max() < 1e-6


def test_the_synthetic_path_streams_as_in_one_piece(official: dict[str, NDArray[Any]]) -> None:
    poses = official["synthetic_poses"].astype(np.float64)  # 33 frames, 9 latents
    unit = longest_step(framewise_steps(poses[::4]))
    lens = lens_of(official["tiny_intrinsics"].astype(np.float64), unit)
    expected = whole_clip(lens, poses, (64, 80))
    control = CameraControl(RayControlConfig(), 3, 64, 80, "cpu", lens)
    chunks = []
    for first, count in ((0, 9), (9, 12), (21, 12)):
        encoded = control.encode(poses[first : first + count], count)
        control.commit(encoded)
        chunks.append(encoded["rays"][0])
    # Vectorised products may differ in the last bit with the number of rows.
    torch.testing.assert_close(torch.cat(chunks, dim=1), expected, atol=1e-6, rtol=0)


def test_golden_rays_of_a_key_script() -> None:
    """464 x 832, latent 5 of `w-8,wl-16,i-8,none-12` (model_spec 7.2)."""
    rays = whole_clip(Lens(WIDE), script_poses(parse_key_script("w-8,wl-16,i-8,none-12")), (464, 832))
    for (x, y), expected in (
        ((0, 0), (-0.493451, -0.345666, 0.798136)),
        ((831, 463), (0.694331, 0.345666, 0.631204)),
        ((18, 9), (-0.477267, -0.339008, 0.810734)),
    ):
        inside = [k * 64 + (y % 8) * 8 + x % 8 for k in range(3, 6)]
        assert rays[inside, 5, y // 8, x // 8].tolist() == pytest.approx(expected, abs=1e-6)
    assert rays[202, 5, 1, 2].item() == pytest.approx(-0.477267, abs=1e-6)
    # Normalised by the longest step, which is the default unit step of full speed.
    assert rays[[0, 64, 128], 1, 0, 0].tolist() == pytest.approx((0, 0, 1), abs=1e-6)
    assert rays[[0, 64, 128], 3, 0, 0].tolist() == pytest.approx((0.087089, 0, 0.995436), abs=1e-6)
    assert not rays[:192, 9:].any()


def test_a_camera_that_stands_still_has_no_origin_and_pinhole_rays() -> None:
    """No translation, and the directions of a pinhole camera (model_spec 7.1 step 4)."""
    rays = whole_clip(Lens((8.0, 8.0, 8.0, 8.0)), np.tile(np.eye(4), (5, 1, 1)), (16, 16))
    assert not rays[:192].any()
    middle = np.array([0.5 / 8, 0.5 / 8, 1])  # pixel (8, 8)
    assert rays[[192, 256, 320], 1, 1, 1].numpy() == pytest.approx(middle / np.linalg.norm(middle), abs=1e-6)


def test_fold_order() -> None:
    """Channel (k * 8 + row) * 8 + column of cell (y // 8, x // 8) (model_spec 3.3 step 7, 7.1 step 5)."""
    grid = RayGrid(np.array([1.0, 1.0, 0.5, 0.5]), 16, 24, 8, "cpu")
    rays = grid.directions(torch.eye(3)[None])
    for k, row, column, y, x in ((0, 0, 3, 0, 19), (1, 5, 0, 13, 8), (2, 7, 7, 15, 23)):
        ray = np.array([x, y, 1.0])
        value = (ray / np.linalg.norm(ray))[k]
        assert rays[(k * 8 + row) * 8 + column, 0, y // 8, x // 8].item() == pytest.approx(value, abs=1e-6)


def test_key_channels_follow_the_directions() -> None:
    """192 direction channels, then 64 for each of w, a, s, d; every fourth row counts (model_spec 3.4)."""
    frames = parse_key_script("w-4,wa-1,d-3")
    poses = script_poses(frames)
    controls = np.concatenate((poses, move_keys(frames)[:, None]), axis=1)
    rays = whole_clip(Lens((8.0, 8.0, 8.0, 8.0)), controls, (16, 16), channels=7)
    assert rays.shape == (448, 3, 2, 2)
    without_keys = whole_clip(Lens((8.0, 8.0, 8.0, 8.0)), poses, (16, 16))
    assert torch.equal(rays[:192], without_keys[192:])
    keys = rays[192:].reshape(4, 64, 3, 2, 2)
    assert (keys == keys[:, :1, :, :1, :1]).all()
    assert keys[:, 0, :, 0, 0].T.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("channels", "controls", "message"),
    [
        (6, np.tile(np.eye(4), (4, 1, 1)), "shape [4, 4, 4]"),
        (7, np.tile(np.eye(4), (5, 1, 1)), "keys w, a, s, d"),
        (7, np.concatenate((np.tile(np.eye(4), (5, 1, 1)), np.full((5, 1, 4), 0.5)), axis=1), "keys: got 0.5"),
        (6, "poses", "give numbers"),
    ],
)
def test_controls_of_another_shape_are_refused(channels: int, controls: object, message: str) -> None:
    control = CameraControl(RayControlConfig(channels), 2, 16, 16, "cpu", Lens((8.0, 8.0, 8.0, 8.0)))
    with pytest.raises(InputError) as error:
        control.encode(controls, 5)  # type: ignore[arg-type]
    assert message in str(error.value)


@pytest.mark.parametrize("unit_step", [0.0, -1.0, float("nan")])
def test_a_unit_step_must_be_a_length(unit_step: float) -> None:
    with pytest.raises(InputError, match="unit_step"):
        Lens((1.0, 1.0, 1.0, 1.0), unit_step)


@pytest.mark.parametrize("intrinsics", [[1, 2, 3], [0, 1, 1, 1], [1, np.inf, 1, 1], "K"])
def test_bad_intrinsics_are_refused(intrinsics: object) -> None:
    with pytest.raises(InputError, match="fx, fy, cx, cy"):
        check_intrinsics(intrinsics)  # type: ignore[arg-type]
