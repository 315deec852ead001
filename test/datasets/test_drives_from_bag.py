"""Bags of a moving camera become drives, however the poses were recorded, and what does not fit is said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.cli.main import BAD_INPUT, main
from lingbot_ros.datasets.bag.drives_from_bag import DriveTiming, DriveTopics, survey, write_missing
from lingbot_ros.datasets.bag.open_bag import Bag
from lingbot_ros.datasets.bag.poses import PoseOptions
from lingbot_ros.datasets.drives.layout import DriveSet
from lingbot_ros.datasets.drives.writer import DriveSetWriter
from lingbot_ros.datasets.plan import PlanOptions
from lingbot_ros.errors import InputError
from lingbot_ros.training.scene.drive_views import DriveViews
from lingbot_ros.training.scene.photometric import warp_error
from test.support.bags import Said, write_bag
from test.support.box_room import LENS, look, pose_at
from test.support.drive_bags import (
    DEPTH,
    FRAMES,
    INFO,
    OFFSET,
    TF,
    base_at,
    camera_at,
    camera_info,
    camera_on_base_said,
    depth_image,
    housing_at,
    odometry_said,
    pictures,
    pose_said,
    transform_said,
)

TOPICS = DriveTopics("/cam/image_raw", PoseOptions("/pose"))
TIMING = DriveTiming(rate=10, image_gap=0.15)
OPTIONS = PlanOptions(size=(64, 64), longest=20, shortest=10)
TIMES = np.arange(-20, 100 * FRAMES, 20).tolist()
"""When there are poses: not when there are images."""


def convert(
    root: Path, said: list[Said], topics: DriveTopics = TOPICS, timing: DriveTiming = TIMING,
    options: PlanOptions = OPTIONS,
) -> DriveSet:  # fmt: skip
    write_bag(root / "bag", sorted(said, key=lambda one: one.ms))
    with Bag(root / "bag") as bag:
        drives = survey(bag, topics, timing, options)
        writer = DriveSetWriter(root / "data", drives.plan)
        assert list(write_missing(bag, drives, topics, writer)) == list(drives.plan.frames)
        assert DriveSetWriter(root / "data", drives.plan).missing() == []
    return DriveSet(root / "data")


def housing_poses(shift_ms: float = 7.0) -> list[Said]:
    return [pose_said(housing_at(ms + shift_ms), ms + shift_ms) for ms in TIMES]


def map_to_odom(ms: float) -> np.ndarray:
    drift = np.eye(4)
    drift[:3, 3] = [1.0 + 1e-5 * ms, 2.0, 0.0]
    return drift


WAYS = {
    "poses of the housing": (housing_poses, PoseOptions("/pose")),
    "odometry and transforms": (
        lambda: [camera_on_base_said(), *(odometry_said(base_at(ms), ms) for ms in TIMES)],
        PoseOptions("/odom"),
    ),
    "odometry and an offset": (
        lambda: [odometry_said(base_at(ms), ms) for ms in TIMES],
        PoseOptions("/odom", offset=OFFSET),
    ),
    "poses of the robot": (
        lambda: [camera_on_base_said(), *(pose_said(base_at(ms), ms) for ms in TIMES)],
        PoseOptions("/pose", pose_frame="base_link"),
    ),
    "transforms": (
        lambda: [
            camera_on_base_said(),
            *(transform_said(TF, "map", "odom", map_to_odom(ms), ms) for ms in range(-100, 100 * FRAMES, 100)),
            *(
                transform_said(TF, "odom", "base_link", np.linalg.inv(map_to_odom(ms)) @ base_at(ms), ms)
                for ms in TIMES
            ),
        ],
        PoseOptions("tf", frame="map"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_record_poses_gives_the_same_drive(tmp_path: Path, way: str) -> None:
    make, poses = WAYS[way]
    data = convert(tmp_path, pictures() + make(), replace(TOPICS, poses=poses))
    assert data.plan.frames == (20, 20) and len(data.plan.validation) == 1
    assert np.allclose(data.intrinsics(0), [LENS.fx, LENS.fy, LENS.cx, LENS.cy])
    for drive in range(2):
        times = 100.0 * np.arange(20 * drive, 20 * drive + 20)
        true = [np.linalg.inv(camera_at(times[0])) @ camera_at(ms) for ms in times]
        found = np.linalg.inv(data.poses(drive)[0]) @ data.poses(drive)
        assert np.allclose(found, true, atol=2e-5)
        assert np.array_equal(data.frames(drive)[3], look(camera_at(times[3]))[0])
        assert not data.has_depth(drive)


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1"])
def test_depth_warps_images_into_one_another(tmp_path: Path, encoding: str) -> None:
    topics = replace(TOPICS, depth="/cam/depth")
    data = convert(tmp_path, pictures(depth=encoding) + housing_poses(), topics)
    true = look(camera_at(500))[1]
    assert np.allclose(data.depth(0)[5][:, 8:], true[:, 8:], rtol=2e-3)
    assert not data.depth(0)[5][:, :8].any()  # not measured
    views = DriveViews(data, [0, 1]).draw(6, np.random.default_rng(0))
    assert views.measured.all()
    disparity = torch.where(views.depth > 0, 1 / views.depth.clamp(min=0.1), 0.5)
    right, near, far = (float(warp_error(scale * disparity, views).mean()) for scale in (1.0, 2.0, 0.5))
    assert right < near and right < far


def test_a_smaller_frame_has_smaller_intrinsics(tmp_path: Path) -> None:
    said = pictures(depth="32FC1") + housing_poses()
    data = convert(tmp_path, said, replace(TOPICS, depth="/cam/depth"), options=replace(OPTIONS, size=(32, 48)))
    assert np.allclose(data.intrinsics(0), [LENS.fx * 0.75, LENS.fy / 2, LENS.cx * 0.75, LENS.cy / 2])
    assert data.frames(0).shape[1:] == (32, 48, 3) and data.depth(0).shape[1:] == (32, 48)


def test_of_a_drive_without_depth_only_frames_with_parallax_are_drawn(tmp_path: Path) -> None:
    stops_and_goes = [pose_said(housing_at(np.clip(ms, 1000, 3000)), ms) for ms in TIMES]
    data = convert(tmp_path, pictures() + stops_and_goes)
    views = DriveViews(data, [0]).draw(32, np.random.default_rng(0))
    assert (torch.linalg.norm(views.to_sources[:, :, :3, 3], dim=-1) >= 0.08).all()
    assert not views.measured.any()


def test_a_jump_ends_the_drive(tmp_path: Path) -> None:
    jump = np.eye(4)
    jump[0, 3] = 0.6
    poses = [pose_said((jump if ms > 2010 else np.eye(4)) @ housing_at(ms), ms) for ms in TIMES]
    with pytest.raises(InputError, match="jumps"):
        convert(tmp_path / "strict", pictures() + poses, replace(TOPICS, bad_share=0.0))
    data = convert(tmp_path / "loose", pictures() + poses)
    assert data.plan.frames == (11, 10, 19)


def still() -> list[Said]:
    return [pose_said(housing_at(0) @ turned(ms), ms) for ms in TIMES]


def turned(ms: float) -> np.ndarray:
    return np.array(pose_at(0, 0, 0.0002 * ms))


BAD = {
    "more frames than images": (lambda: pictures(every_ms=200) + housing_poses(), TOPICS, "give that or less"),
    "poses of another time": (
        lambda: pictures() + [pose_said(housing_at(ms), ms + 10_000) for ms in TIMES], TOPICS,
        "no image has a pose near it",
    ),
    "a camera that only turns": (lambda: pictures() + still(), TOPICS, "camera that moves"),
    "a lens with distortion": (
        lambda: [*pictures(), *housing_poses(), Said(INFO, 5000, camera_info(5000, 0.1))], TOPICS, "rectify the image",
    ),
    "no CameraInfo": (
        lambda: [one for one in pictures() if one.topic != INFO] + housing_poses(), TOPICS,
        "give the topic of the camera",
    ),
    "an unknown frame": (
        lambda: pictures() + [transform_said(TF, "odom", "base_link", base_at(ms), ms) for ms in TIMES],
        replace(TOPICS, poses=PoseOptions("tf")), "frames: base_link, odom",
    ),
    "a robot without its camera": (
        lambda: pictures() + [odometry_said(base_at(ms), ms) for ms in TIMES],
        replace(TOPICS, poses=PoseOptions("/odom")), "give --camera-offset",
    ),
    "depth of another size": (
        lambda: [*pictures(), *housing_poses(), Said(DEPTH, 0, depth_image(np.ones((8, 8), np.uint16), "16UC1", 0))],
        replace(TOPICS, depth="/cam/depth"), "aligned",
    ),
    "depth that is colours": (
        lambda: pictures() + housing_poses(), replace(TOPICS, depth="/cam/image_raw"), "16UC1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_what_does_not_fit_is_said(tmp_path: Path, what: str) -> None:
    make, topics, said = BAD[what]
    with pytest.raises(InputError, match=said):
        convert(tmp_path, make(), topics)


def test_options_of_the_other_kind_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["dataset", "from-bag", str(tmp_path), "--images", "/i", "--out", str(tmp_path / "out")]
    for more in (["--poses", "/p", "--names", "x"], ["--actions", "/a", "--depth", "/d"]):
        assert main([*command, *more]) == BAD_INPUT
        assert "leave it out" in capsys.readouterr().err
