"""MiniWorld renders a house: colour and depth from any pose, without a window. Needs the extra `rooms`."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingbot_ros.compat import have
from lingbot_ros.errors import ErrorCode, LingbotError
from lingbot_ros.model.scene.events import Event
from lingbot_ros.model.scene.thing import Place
from lingbot_ros.tasks.rooms.simulator.house import House
from lingbot_ros.tasks.rooms.simulator.miniworld_house import miniworld_house

NEAR_M, FAR_M = 0.04, 100.0
MAX_DEPTH_M = 20.0
"""A few pixels read through seams between walls; nothing in a house is further away than this."""


class HouseRenderer:
    """Renders one house after the other. One thread uses it; one process makes one."""

    def __init__(self, size: int = 128) -> None:
        """Frames of size x size pixels. Raises LingbotError where MiniWorld is missing."""
        if not have("miniworld"):
            fix = "install it: `pip install 'lingbot_ros[rooms]'`, or `.venv/bin/python -m pip install miniworld`"
            raise LingbotError(f"miniworld: the simulator of houses is not installed; {fix}", ErrorCode.UNSUPPORTED)
        os.environ.setdefault("LP_NUM_THREADS", "1")
        import pyglet  # noqa: PLC0415 - an optional package

        pyglet.options["headless"] = True
        self.size = size
        self._world: Any = None
        self.house: House | None = None

    def enter(self, house: House, event: Event | None = None, place: Place | None = None) -> None:
        """Build the house; what is rendered afterwards is seen in it, under an event whose thing is at `place`."""
        if self._world is None:
            self._world = miniworld_house(house, self.size)
        else:
            self._world.enter(house)
        self._world.show(event or Event(), place)
        self.house = house

    def render(self, pose: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Colour uint8 [H, W, 3] RGB and depth along the axis float32 [H, W] in metres, at x, z, yaw, pitch."""
        agent = self._world.agent
        x, z, yaw, pitch = pose
        agent.pos, agent.dir, agent.cam_pitch = np.array([x, 0.0, z]), float(yaw), float(np.degrees(pitch))
        colour = np.ascontiguousarray(self._world.render_obs())
        depth = self._world.obs_fb.get_depth_map(NEAR_M, FAR_M)[..., 0]
        return colour, np.clip(depth, 0.0, MAX_DEPTH_M).astype(np.float32)


def camera_to_world(house: House, poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Poses [n, 4] of `drive` -> float64 [n, 4, 4]; columns right, down, forward, position; metres, y up."""
    x, z, yaw, pitch = poses.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    forward = np.stack([np.cos(yaw) * np.cos(pitch), np.sin(pitch), -np.sin(yaw) * np.cos(pitch)], axis=-1)
    right = np.stack([np.sin(yaw), zero, np.cos(yaw)], axis=-1)
    down = np.cross(forward, right)
    position = np.stack([x, house.camera.height_m * one, z], axis=-1)
    matrix = np.zeros((len(x), 4, 4))
    matrix[:, :3, 0], matrix[:, :3, 1], matrix[:, :3, 2] = right, down, forward
    matrix[:, :3, 3], matrix[:, 3, 3] = position, 1.0
    return matrix


def intrinsics(house: House, size: int) -> NDArray[np.float64]:
    """fx, fy, cx, cy in pixels; the centre of the upper left pixel is (0.5, 0.5)."""
    focal = size / 2 / np.tan(np.radians(house.camera.fov_y_deg) / 2)
    return np.array([focal, focal, size / 2, size / 2])


def drive_of(pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """The reverse of `camera_to_world` for one pose [4, 4] without roll: x, z, yaw, pitch."""
    forward = pose[:3, 2]
    return np.array(
        [pose[0, 3], pose[2, 3], np.arctan2(-forward[2], forward[0]), np.arcsin(np.clip(forward[1], -1, 1))]
    )
