"""A push is the same in every direction, and its mirror image is the mirror image."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from lingbot_ros.model.rigid_layers.interaction import Interaction, features, mirrored, to_image, to_push

SIZE = 64
MIDDLE = torch.tensor([[31.5, 31.5]])


def untaught() -> Interaction:
    """A network that says something of everything."""
    torch.manual_seed(0)
    net = Interaction()
    torch.nn.init.normal_(net.moves.weight, std=0.2)
    torch.nn.init.normal_(net.moves.bias, std=0.2)
    return net


def bar(centre: torch.Tensor, turn: float) -> torch.Tensor:
    """A smooth, lopsided thing [1, SIZE, SIZE], so that turning it loses nothing."""
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    dx, dy = x - centre[0, 0], y - centre[0, 1]
    u, v = math.cos(turn) * dx + math.sin(turn) * dy, math.cos(turn) * dy - math.sin(turn) * dx
    return (torch.exp(-(u**2) / 60 - v**2 / 15) + 0.5 * torch.exp(-((u - 6) ** 2) / 12 - (v - 4) ** 2 / 12))[None]


def turned(vector: torch.Tensor, angle: float) -> torch.Tensor:
    c, s = math.cos(angle), math.sin(angle)
    return vector @ torch.tensor([[c, s], [-s, c]])


@given(angle=st.floats(-3.1, 3.1), speed=st.floats(0.5, 6))
def test_a_push_turns_with_the_scene(angle: float, speed: float) -> None:
    net, away, motion = untaught(), torch.tensor([[7.0, 2.0]]), torch.tensor([[speed, 0.0]])
    with torch.no_grad():
        plain = net(bar(MIDDLE + away, 0.3), MIDDLE + away, MIDDLE, motion)
        place = MIDDLE + turned(away, angle)
        other = net(bar(place, 0.3 + angle), place, MIDDLE, turned(motion, angle))
    assert torch.allclose(other[:, :2], turned(plain[:, :2], angle), atol=0.02 * speed)
    assert torch.allclose(other[:, 2], plain[:, 2], atol=0.01 * speed)


def test_what_is_mirrored_moves_in_the_mirror_image() -> None:
    net = untaught()
    away, motion = torch.tensor([[7.0, 3.0]]), torch.tensor([[2.0, 0.0]])
    mask, flip = bar(MIDDLE + away, 0.3), torch.tensor([[1.0, -1.0]])
    with torch.no_grad():
        plain = net(mask, MIDDLE + away, MIDDLE, motion)
        other = net(mask.flip(1), MIDDLE + away * flip, MIDDLE, motion)
    assert plain[:, 1:].abs().max() > 0.01, "or the test would say nothing"
    assert torch.allclose(other, plain * torch.tensor([1.0, -1.0, -1.0]), atol=1e-4)
    seen = features(mask, MIDDLE + away, MIDDLE, motion)
    assert torch.equal(mirrored(mirrored(seen)), seen)


def test_what_does_not_move_pushes_nothing() -> None:
    still = torch.zeros(1, 2)
    moved = untaught()(bar(MIDDLE + 5, 0.0), MIDDLE + 5, MIDDLE, still)
    assert torch.equal(moved.detach(), torch.zeros(1, 3))


def test_pushes_are_told_in_the_frame_of_the_motion_and_back() -> None:
    generator = torch.Generator().manual_seed(0)
    moved, motion = torch.randn(50, 3, generator=generator), torch.randn(50, 2, generator=generator) * 3
    assert torch.allclose(to_image(to_push(moved, motion), motion), moved, atol=1e-4)
    assert torch.equal(to_push(moved, torch.zeros(50, 2)), torch.zeros(50, 3))
