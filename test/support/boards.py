"""Textured boards at several depths, rendered exactly as a camera sees them."""

import cv2
import numpy as np

HEIGHT, WIDTH = 240, 416
CAMERA = np.array([[300.0, 0, WIDTH / 2], [0, 300.0, HEIGHT / 2], [0, 0, 1]])
# Depth, left, top, width, height of each board, metres; far ones first.
BOARDS = [(12.0, -24, -14, 48, 28), (7.0, -9, -3, 5, 6), (6.0, 2, -2, 4, 5), (4.5, -2, 0.6, 4, 1.5)]


def texture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = [cv2.resize(rng.integers(0, 256, (n, n, 3), np.uint8), (1024, 1024), interpolation=cv2.INTER_CUBIC)
              for n in (32, 96, 256)]  # fmt: skip
    return np.mean(coarse, axis=0).astype(np.uint8)


TEXTURES = [texture(seed) for seed in range(len(BOARDS))]


def render(pose: np.ndarray) -> np.ndarray:
    """The boards as a camera at `pose` (camera-to-world) sees them, uint8 [H, W, 3]."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    to_camera = np.linalg.inv(pose)
    for (depth, left, top, width, height), board in zip(BOARDS, TEXTURES, strict=True):
        to_world = np.array([[width / 1024, 0, left], [0, height / 1024, top], [0, 0, depth], [0, 0, 1.0]])
        homography = CAMERA @ to_camera[:3] @ to_world
        mask = cv2.warpPerspective(np.full((1024, 1024), 255, np.uint8), homography, (WIDTH, HEIGHT))
        shown = cv2.warpPerspective(board, homography, (WIDTH, HEIGHT), flags=cv2.INTER_AREA | cv2.INTER_LINEAR)
        image = np.where(mask[..., None] > 128, shown, image)
    return image


def path(yaw_deg: float, forward_m: float, right_m: float = 0.0, frames: int = 25) -> np.ndarray:
    """Poses [n, 4, 4] of a camera that turns and advances by equal steps."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    for k in range(1, frames):
        turn = np.radians(yaw_deg)
        step = np.eye(4)
        step[[0, 0, 2, 2], [0, 2, 0, 2]] = np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)
        step[[0, 2], 3] = right_m, forward_m
        poses[k] = poses[k - 1] @ step
    return poses
