"""Camera paths at latent rate against the official implementation (model_spec 3.3 steps 1-3)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.control.poses import check_poses, framewise_steps, interpolate_poses, longest_step, resample_path
from lingbot_ros.errors import InputError

DATA = Path(__file__).parents[1] / "data" / "conformance"


@pytest.fixture(scope="module")
def official() -> dict[str, NDArray[Any]]:
    return dict(np.load(DATA / "camera.npz"))


@pytest.mark.parametrize(("frames", "latents"), [(17, 5), (81, 21)])
def test_scene_00_at_latent_rate(official: dict[str, NDArray[Any]], frames: int, latents: int) -> None:
    path = check_poses(official["poses_source"][:frames])
    assert np.abs(resample_path(path, latents) - official[f"f{frames}_poses_latent"]).max() < 1e-6


def test_a_path_too_short_for_the_clip_is_cut_to_4k_plus_1(official: dict[str, NDArray[Any]]) -> None:
    path = check_poses(official["poses_source"][:20])
    assert np.abs(resample_path(path, 5) - official["trunc20_poses_latent"]).max() < 1e-6


@pytest.mark.parametrize("frames", [17, 81])
def test_scene_00_framewise(official: dict[str, NDArray[Any]], frames: int) -> None:
    steps = framewise_steps(official[f"f{frames}_poses_latent"].astype(np.float64))
    longest = longest_step(steps)
    assert abs(longest - official[f"f{frames}_step_max_float64"]) < 1e-6
    steps[:, :3, 3] /= longest
    assert np.abs(steps - official[f"f{frames}_deltas_float64"]).max() < 1e-6


def test_a_synthetic_path(official: dict[str, NDArray[Any]]) -> None:
    path = resample_path(official["synthetic_poses"].astype(np.float64), 9)
    assert np.abs(path - official["synthetic_poses_latent"]).max() < 2e-6
    steps = framewise_steps(path)
    steps[:, :3, 3] /= longest_step(steps)
    assert np.abs(steps - official["synthetic_deltas"]).max() < 2e-6


def test_chunks_with_the_pose_carried_give_the_steps_of_the_whole_path(official: dict[str, NDArray[Any]]) -> None:
    path = official["synthetic_poses_latent"].astype(np.float64)
    chunks = [framewise_steps(path[:3]), framewise_steps(path[3:7], path[2]), framewise_steps(path[7:], path[6])]
    assert np.array_equal(np.concatenate(chunks), framewise_steps(path))


def test_interpolated_rotations_take_the_shortest_arc() -> None:
    poses = np.tile(np.eye(4), (2, 1, 1))
    poses[1, :3, :3] = [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]  # 90 degrees to the right
    poses[1, :3, 3] = (4, 0, 0)
    third = interpolate_poses(poses, [1 / 3])[0]
    sine, cosine = 0.5, 3**0.5 / 2
    expected = [[cosine, 0, sine, 4 / 3], [0, 1, 0, 0], [-sine, 0, cosine, 0], [0, 0, 0, 1]]
    assert np.allclose(third, expected, atol=1e-12)


def turned(rotation: object) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[:3, :3] = rotation
    return pose


BAD = [
    pytest.param(np.eye(4), "shape [4, 4]", id="no list"),
    pytest.param([[["a"] * 4] * 4], "give numbers", id="text"),
    pytest.param([turned(np.full((3, 3), np.nan))], "not finite", id="NaN"),
    pytest.param([np.eye(4), turned(2 * np.eye(3))], "poses[1]", id="scaled"),
    pytest.param([turned(np.diag([1, 1, -1]))], "right-handed", id="mirrored"),
    pytest.param([np.diag([1, 1, 1, 2])], "last row", id="projective"),
]


@pytest.mark.parametrize(("poses", "message"), BAD)
def test_what_is_no_rigid_transform_is_named(poses: object, message: str) -> None:
    with pytest.raises(InputError) as error:
        check_poses(poses)  # type: ignore[arg-type]
    assert message in str(error.value)
