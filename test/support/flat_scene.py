"""A flat-coloured scene of a disc and an L, drawn without a simulator: what a world of rigid layers can capture."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.polygon import centroid, place

SIZE = 64
TABLE, MARK, BLOCK, DISC = (250, 250, 240), (150, 220, 150), (120, 60, 60), (40, 80, 220)
RADIUS = 3.0
_L = np.array([(0, 0), (6, 0), (6, 12), (15, 12), (15, 18), (0, 18)], np.float64)
L_SHAPE = _L - centroid(_L)
_FINE = 16


def draw_scene(disc: tuple[float, float], block: tuple[float, float, float]) -> NDArray[np.uint8]:
    """uint8 [64, 64, 3]: a mark on the table, the L at `block` (x, y, turn), the disc on top."""
    picture = np.empty((SIZE * _FINE, SIZE * _FINE, 3), np.uint8)
    picture[:] = TABLE

    def fill(points: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(picture, [np.rint((points + 0.5) * _FINE - 0.5).astype(np.int32)], colour)

    fill(np.array([(40.0, 6.0), (56.0, 6.0), (56.0, 12.0), (40.0, 12.0)]), MARK)
    fill(place(L_SHAPE, np.array(block)), BLOCK)
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    fill(np.array(disc) + RADIUS * np.stack([np.cos(angles), np.sin(angles)], -1), DISC)
    return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def scene_constants() -> Constants:
    """Constants that fit the scene: the disc follows its target at once, the block is uniform, walls are far away."""
    constants = Constants(RigidLayersConfig(layers=2, extent_px=32, ramp_px=1.0, colours=4), SIZE, SIZE)
    constants.colours.copy_(torch.tensor((TABLE, MARK, BLOCK, DISC)))
    constants.owners.copy_(torch.tensor((0, 0, 2, 1)))
    table = draw_scene((-20.0, -20.0), (-40.0, -40.0, 0.0))
    constants.background.copy_(torch.from_numpy(table).permute(2, 0, 1))
    constants.radius.fill_(RADIUS)
    constants.blur.fill_(0.05)
    constants.drive.law.copy_(torch.tensor(((0.5, 0.2, 0.5, 0.0), (-0.4, 0.1, 0.4, 0.0))))
    constants.contact.reach.fill_(RADIUS)
    constants.contact.gyration.fill_(6.0)
    constants.contact.yielding.fill_(0.06)
    constants.settle()
    return constants
