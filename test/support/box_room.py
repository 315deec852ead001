"""A room of 6 x 4 m with checked walls, ray-cast: images with true depth, without any simulator."""

import json
from pathlib import Path

import numpy as np

from lingbot_ros.model.scene.camera import Pinhole

HALF_X, HALF_Z, FLOOR, CEILING = 3.0, 2.0, 1.5, -1.2
LENS = Pinhole(55.4, 55.4, 32.0, 32.0, 64, 64)


def pose_at(x: float, z: float, yaw: float) -> np.ndarray:
    """Camera-to-world [4, 4], y down, turned to the right by `yaw`."""
    pose = np.eye(4)
    c, s = np.cos(yaw), np.sin(yaw)
    pose[:3, :3], pose[:3, 3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]], [x, 0, z]
    return pose


def look(pose: np.ndarray, lens: Pinhole = LENS) -> tuple[np.ndarray, np.ndarray]:
    """Colour uint8 [H, W, 3] and depth float32 [H, W] of the room from a pose inside of it."""
    rays = lens.rays() @ pose[:3, :3].T
    origin = pose[:3, 3]
    with np.errstate(divide="ignore"):
        to_walls = [
            (np.where(rays[..., axis] > 0, high, low) - origin[axis]) / rays[..., axis]
            for axis, low, high in ((0, -HALF_X, HALF_X), (1, CEILING, FLOOR), (2, -HALF_Z, HALF_Z))
        ]
    depth, which = np.min(to_walls, 0), np.argmin(to_walls, 0)
    point = origin + rays * depth[..., None]
    checks = (np.floor(point * 2).sum(-1) % 2).astype(bool)
    side = which * 2 + (np.take_along_axis(rays, which[..., None], -1)[..., 0] > 0)
    colours = np.array([[160, 90, 70], [90, 160, 70], [200, 200, 210], [120, 90, 60], [70, 90, 160], [160, 150, 60]])
    colour = np.where(checks[..., None], colours[side], colours[side] * 0.6)
    return colour.astype(np.uint8), depth.astype(np.float32)


def write_box_rooms(root: Path, houses: int, frames: int) -> None:
    """A data set of rooms without a simulator: drives about the box, in the axes of its files (y up)."""
    plan = {"task": "rooms", "split": "train", "seed": 0, "houses": houses, "frames": frames, "fps": 8.0, "size": 64}
    root.mkdir(parents=True)
    (root / "dataset.json").write_text(json.dumps(plan | {"versions": {}, "schema_version": 1}))
    for house in range(houses):
        folder = root / f"house_{house:05d}"
        folder.mkdir()
        poses = [pose_at(0.1 * t - 1, 0.3 * house - 1, 0.1 * t + house) for t in range(frames)]
        seen = [look(pose) for pose in poses]
        np.save(folder / "frames.npy", np.stack([colour for colour, _ in seen]))
        np.save(folder / "depth.npy", np.stack([depth for _, depth in seen]).astype(np.float16))
        np.save(folder / "poses.npy", np.diag([1.0, -1.0, -1.0, 1.0]) @ np.stack(poses))
        np.save(folder / "intrinsics.npy", np.array([LENS.fx, LENS.fy, LENS.cx, LENS.cy]))
