"""Houses, drives, and what MiniWorld renders of them."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.cli.main import main
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.rooms.dataset.episode import out_and_back
from lingbot_ros.tasks.rooms.dataset.reader import RoomsDataset
from lingbot_ros.tasks.rooms.simulator.drive import RADIUS_M, drive
from lingbot_ros.tasks.rooms.simulator.house import draw_house, house_seed
from lingbot_ros.tasks.rooms.simulator.renderer import camera_to_world, intrinsics


def test_splits_share_no_house_and_a_seed_decides_everything() -> None:
    seeds = [
        house_seed(split, base, i) for split in ("train", "validation", "test") for base in (0, 1) for i in range(50)
    ]
    assert len(set(seeds)) == len(seeds)
    assert draw_house(37, True) == draw_house(37, True) != draw_house(38, True)
    with pytest.raises(InputError, match="split"):
        house_seed("exam", 0, 0)


def test_drives_stay_in_free_space_and_move_on() -> None:
    travelled = []
    for seed in range(8):
        house = draw_house(seed)
        poses = drive(house, np.random.default_rng(seed), 120, 16.0)
        assert all(house.is_free(x, z, RADIUS_M - 1e-6) for x, z in poses[:, :2])
        steps = np.hypot(*np.diff(poses[:, :2], axis=0).T)
        assert steps.max() < 1.3 / 16
        travelled.append(steps.sum())
    assert np.median(travelled) > 2
    there = out_and_back(house, 20, 16.0)
    assert np.array_equal(there, there[::-1])


def test_poses_are_camera_to_world_with_y_up() -> None:
    house = draw_house(5)
    poses = camera_to_world(house, np.array([[2.0, 3.0, 0.0, 0.0], [2.0, 3.0, np.pi / 2, 0.2]]))
    assert np.allclose(poses[0, :3, 2], [1, 0, 0]) and np.allclose(poses[0, :3, 1], [0, -1, 0])
    assert np.allclose(poses[1, :3, 2], [0, np.sin(0.2), -np.cos(0.2)], atol=1e-9)
    for pose in poses:
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3)) and np.linalg.det(pose[:3, :3]) > 0
        assert np.allclose(pose[:3, 3], [2, house.camera.height_m, 3])
    assert np.allclose(intrinsics(house, 128), [110.85, 110.85, 64, 64], atol=0.01)


@pytest.mark.slow
def test_a_data_set_is_rendered_resumed_and_read(tmp_path: Path) -> None:
    pytest.importorskip("miniworld")
    command = ["dataset", "rooms", "--out", str(tmp_path / "data"), "--frames", "4"]
    assert main([*command, "--houses", "1"]) == 0
    with pytest.raises(InputError, match="houses"):
        RoomsDataset(tmp_path)
    data = RoomsDataset(tmp_path / "data")
    assert data.frames(0).shape == (4, 128, 128, 3) and data.depth(0).shape == (4, 128, 128)
    assert 0.1 < float(np.median(data.depth(0))) < 20
