"""Rigid layers move as wholes, exactly, and an untrained model repeats the image."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.model.rigid_layers.rigid_layers import RigidLayers, centroids, rigid_motions, source_grid

SIZE = 32


def test_an_untrained_model_repeats_the_image() -> None:
    torch.manual_seed(0)
    layers = RigidLayers(count=2, channels=3, dim=8)
    previous = torch.rand(4, 3, SIZE, SIZE) * 2 - 1
    output = torch.zeros(4, layers.outputs, SIZE, SIZE)
    output[:, 3:6] = previous  # behind every layer is what is seen
    made = layers(previous, output, previous.flip(2), torch.randn(4, 8))
    assert torch.allclose(made.image, previous, atol=1e-5)
    assert torch.equal(made.motions, torch.zeros(4, 2, 3))


def no_colours(layers: RigidLayers) -> RigidLayers:
    """What the network says of a pixel is all that counts."""
    torch.nn.init.zeros_(layers.by_colour[-1].weight)
    torch.nn.init.zeros_(layers.by_colour[-1].bias)
    return layers


def two_squares() -> tuple[torch.Tensor, torch.Tensor]:
    """Two squares one column apart, and which is which."""
    previous, masks = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, 3, SIZE, SIZE)
    previous[..., 10:20, 6:15], previous[..., 10:20, 16:24] = 0.5, 1.0
    masks[:, 1, 10:20, 6:15] = masks[:, 2, 10:20, 16:24] = 60.0
    masks[:, 0] = 30.0
    return previous, masks


def test_the_upper_layer_moves_over_what_was_behind_it() -> None:
    """The right square, on top, is driven left by four pixels and covers the other's edge."""
    layers = no_colours(RigidLayers(count=2, channels=1, dim=4))
    layers.driven.moves.bias.data[:] = torch.tensor((-0.4, 0.0))  # in units of ten pixels
    previous, masks = two_squares()
    fill = torch.zeros(1, 1, SIZE, SIZE)  # behind both is nothing
    flow = torch.zeros(1, 3, SIZE, SIZE)
    made = layers(previous, torch.cat((masks, fill, flow), dim=1), previous, torch.zeros(1, 4))
    assert made.motions[0].flatten().tolist() == pytest.approx([0, 0, 0, -4, 0, 0], abs=1e-5)
    row = made.image[0, 0, 15].detach().numpy()
    assert row[6:12] == pytest.approx(0.5) and row[12:20] == pytest.approx(1.0)
    assert row[:6] == pytest.approx(0.0, abs=1e-6) and row[20:] == pytest.approx(0.0, abs=1e-6)


def test_a_layer_that_is_not_driven_follows_its_pixels() -> None:
    layers = no_colours(RigidLayers(count=2, channels=1, dim=4))
    previous, masks = two_squares()
    flow = torch.zeros(1, 3, SIZE, SIZE)
    flow[:, 1, :, :15] = 3.0
    made = layers(previous, torch.cat((masks, torch.zeros_like(previous), flow), dim=1), previous, torch.zeros(1, 4))
    assert made.motions[0].flatten().tolist() == pytest.approx([0, 3, 0, 0, 0, 0], abs=1e-5)


def test_the_last_motion_is_read_off_the_two_images() -> None:
    """A bright dot two pixels further right and one up than in the image before."""
    layers = RigidLayers(count=1, channels=1, dim=4)
    bright = layers.by_colour
    for conv in (bright[0], bright[2], bright[4]):
        torch.nn.init.zeros_(conv.weight)
        torch.nn.init.zeros_(conv.bias)
    bright[0].weight.data[0, 0, 1, 1], bright[2].weight.data[0, 0] = 40.0, 1.0
    bright[4].weight.data[1, 0], bright[4].bias.data[1] = 1.0, -20.0
    before, now = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, 1, SIZE, SIZE)
    before[..., 10:14, 10:14], now[..., 9:13, 12:16] = 1.0, 1.0
    told = layers.last_motion(torch.tensor([[13.5, 10.5]]), before)
    assert told[0].tolist() == pytest.approx([2, -1], abs=1e-3)


def test_an_edge_is_freed_of_the_background_before_it_moves() -> None:
    """A white square, half of its left column black background: moved onto grey it brings no black along."""
    layers = no_colours(RigidLayers(count=1, channels=1, dim=4))
    layers.driven.moves.bias.data[:] = torch.tensor((1.2, 0.0))  # twelve pixels right
    previous, masks = torch.full((1, 1, SIZE, SIZE), -1.0), torch.zeros(1, 2, SIZE, SIZE)
    previous[..., 16:] = 0.0
    previous[..., 10:20, 5:11], previous[..., 10:20, 4] = 1.0, 0.0
    masks[:, 0], masks[:, 1, 10:20, 5:11] = 20.0, 60.0
    masks[:, 1, 10:20, 4] = 20.0  # as much of the one as of the other
    fill = torch.full((1, 1, SIZE, SIZE), -1.0)
    made = layers(previous, torch.cat((masks, fill, torch.zeros(1, 3, SIZE, SIZE)), dim=1), previous, torch.zeros(1, 4))
    row = made.image[0, 0, 15].detach().numpy()
    assert row[17:21] == pytest.approx(1.0, abs=1e-3)
    assert row[16] == pytest.approx(0.5, abs=1e-3), "half white and half of a grey ground"
    assert row[2:13] == pytest.approx(-1.0, abs=1e-3), "and the ground that it left is whole"


@given(dx=st.floats(-5, 5), dy=st.floats(-5, 5), turn=st.floats(-0.5, 0.5))
def test_a_motion_is_that_of_an_affine_warp(dx: float, dy: float, turn: float) -> None:
    """Against OpenCV, away from the border: turned from x towards y about the centre, then shifted."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    picture = np.exp(-((x - 17) ** 2 + 2 * (y - 14) ** 2) / 30).astype(np.float32)
    image = torch.from_numpy(picture)[None, None]
    centre = centroids(image)
    grid = source_grid(torch.tensor([[[dx, dy, turn]]]), centre, SIZE, SIZE)
    moved = torch.nn.functional.grid_sample(image, grid[:, 0], mode="bilinear", align_corners=False)[0, 0].numpy()
    cx, cy = centre[0, 0].tolist()
    c, s = np.cos(turn), np.sin(turn)
    shift = np.array([cx + dx, cy + dy]) - np.array([[c, -s], [s, c]]) @ (cx, cy)
    matrix = np.array([[c, -s, shift[0]], [s, c, shift[1]]])
    expected = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    assert np.abs(moved - expected)[4:-4, 4:-4].max() < 0.02  # OpenCV's bilinear weights have 5 bits


@given(dx=st.floats(-5, 5), dy=st.floats(-5, 5), turn=st.floats(-1.5, 1.5), x=st.floats(-9, 40), y=st.floats(-9, 40))
def test_the_motion_of_a_rigid_flow_is_found(dx: float, dy: float, turn: float, x: float, y: float) -> None:
    """About any centre; up to the little that a turn of small things is damped."""
    weights = torch.rand(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows, columns = np.mgrid[:SIZE, :SIZE].astype(float)
    c, s = np.cos(turn), np.sin(turn)
    flow = np.stack(
        [
            x + dx + c * (columns - x) - s * (rows - y) - columns,
            y + dy + s * (columns - x) + c * (rows - y) - rows,
        ]
    )
    found = rigid_motions(weights, torch.from_numpy(flow)[None], torch.tensor([[[x, y]]], dtype=torch.float64))[0, 0]
    assert found[2] == pytest.approx(turn, abs=0.01)
    assert found[:2].tolist() == pytest.approx([dx, dy], abs=0.5)  # the damped turn has an arm of up to 40 pixels


def test_the_centroid_of_a_mask() -> None:
    masks = torch.zeros(1, 2, SIZE, SIZE)
    masks[0, 0, 3, 7] = masks[0, 0, 5, 9] = 0.5
    assert centroids(masks)[0, 0].tolist() == [8.0, 4.0]
    assert torch.isfinite(centroids(masks)).all()
