"""What is drawn, against arithmetic on whole arrays that skips nothing."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.rigid_layers.capture import Capture
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.render import render
from lingbot_ros.model.rigid_layers.state import LayerState
from test.support.flat_scene import draw_scene, scene_constants

DISC, BLOCK = (20.3, 12.6), (33.4, 38.2, 0.6)


def plainly(constants: Constants, state: LayerState, poses: np.ndarray) -> np.ndarray:
    """One world's image, poses [K, 3]: every pixel samples every layer in float64."""
    config, image = constants.config, state.background[0].numpy().astype(float)
    lines, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    for layer in reversed(range(config.layers)):
        x, y = columns - poses[layer, 0], lines - poses[layer, 1]
        cosine, sine = np.cos(poses[layer, 2]), np.sin(poses[layer, 2])
        texture = np.pad(state.textures[0, layer].numpy().astype(float), ((1, 1), (1, 1), (0, 0)))
        across = (cosine * x + sine * y) * config.texels + (config.texture_side - 1) / 2 + 1
        down = (cosine * y - sine * x) * config.texels + (config.texture_side - 1) / 2 + 1
        across, down = (at.clip(0, config.texture_side + 0.999) for at in (across, down))
        left, top = np.floor(across).astype(int), np.floor(down).astype(int)
        right_share, lower_share = (across - left)[..., None], (down - top)[..., None]
        upper = (1 - right_share) * texture[top, left] + right_share * texture[top, left + 1]
        lower = (1 - right_share) * texture[top + 1, left] + right_share * texture[top + 1, left + 1]
        sample = (1 - lower_share) * upper + lower_share * lower
        depth_px = (sample[..., 3:] / 127.5 - 1) * config.depth_px
        image += np.clip(0.5 + depth_px / config.ramp_px, 0, 1) * (sample[..., :3] - image)
    return image


@pytest.fixture(scope="module")
def constants() -> Constants:
    return scene_constants()


@pytest.fixture(scope="module")
def state(constants: Constants) -> LayerState:
    return Capture(constants).start(draw_scene(DISC, BLOCK))


def test_every_pixel_is_what_its_samples_say(constants: Constants, state: LayerState) -> None:
    """Also where a layer hangs over the edge of the image, lies outside of it, or two lie on one another."""
    rng = np.random.default_rng(0)
    poses = np.concatenate([rng.uniform(-20, 84, (40, constants.config.layers, 2)), rng.normal(0, 3, (40, 2, 1))], -1)
    rows = LayerState.stack([state] * len(poses))
    moved = torch.from_numpy(poses).float()
    images = render(constants, moved, rows.outlines, rows.textures, rows.background).numpy()
    moved[..., :2] += constants.drawn
    expected = np.stack([plainly(constants, state, row) for row in moved.double().numpy()])
    assert np.abs(images - expected).max() < 1.01  # rounded once for every layer
    assert np.abs(images - state.background.numpy()).any(axis=(1, 2, 3)).sum() > 20


def test_a_world_is_drawn_alone_as_among_others(constants: Constants, state: LayerState) -> None:
    rows = LayerState.stack([state] * 3)
    poses = state.bodies.poses + torch.tensor([[[0.0, 0.0, 0.0]], [[3.1, -2.2, 0.4]], [[-7.0, 1.0, 2.0]]])
    together = render(constants, poses, rows.outlines, rows.textures, rows.background)
    for row in range(3):
        alone = render(constants, poses[row : row + 1], state.outlines, state.textures, state.background)
        assert torch.equal(alone[0], together[row])
