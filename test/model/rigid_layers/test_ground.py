"""A known background that is not flat, and what only constants of own clips have."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.drive import DriveLaw
from lingbot_ros.model.rigid_layers.outline import radius_of_gyration
from lingbot_ros.model.rigid_layers.palette import Palette, unmix


def test_shares_before_a_pattern_are_those_that_were_painted() -> None:
    rng = np.random.default_rng(0)
    ground = rng.uniform(90, 140, (24, 24, 3))
    palette = Palette(np.array([(230.0, 30.0, 30.0), (20.0, 20.0, 200.0)]), np.array([2, 1])).before(ground, 0.0)
    painted = np.zeros((24, 24))
    painted[6:15, 8:17] = 1.0
    painted[5, 8:17] = 0.5
    painted[6:15, 17] = 0.25
    frame = ground * (1 - painted[..., None]) + painted[..., None] * palette.colours[0]
    shares = unmix(np.rint(frame).astype(np.uint8), palette)
    assert np.abs(shares.share[1] - painted).max() < 0.03
    assert shares.share[0].max() < 0.03
    assert np.abs(shares.colour[1][painted > 0] - palette.colours[0]).max() < 3


def test_an_aim_comes_before_the_law() -> None:
    plain, aimed = DriveLaw(4), DriveLaw(4, has_aim=True)
    law = torch.tensor(((0.5, 0.2, 0.5, 0.0), (-0.4, 0.1, 0.4, 0.0)))
    for drive in (plain, aimed):
        drive.law.copy_(law)
        drive.settle()
    aimed.aim.copy_(torch.tensor(((0.0, 2.0, 1.0), (-1.0, 0.0, 3.0))))
    place, action = torch.tensor(((1.0, 2.0),)), torch.tensor(((5.0, 7.0),))
    wanted = plain(place, torch.zeros(1, 2), torch.tensor(((15.0, -2.0),)))
    for mine, theirs in zip(aimed(place, torch.zeros(1, 2), action), wanted, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_each_shape_turns_by_its_own_gyration() -> None:
    square = torch.tensor(((-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)))
    poses = torch.tensor([[(20.0, 20.0, 0.0), (40.0, 20.0, 0.0)]])
    outlines, centres = square.expand(1, 2, 4, 2), torch.zeros(1, 2, 2)
    path = torch.stack((torch.linspace(9.0, 50.0, 42), torch.full((42,), 17.0)), dim=-1)[None, None, None]
    both = ContactLaw(shapes=2)
    both.gyration.copy_(torch.tensor((2.0, 5.0)))
    both.reach.fill_(2.0)
    moved = both(poses, outlines, centres, path)
    for shape, gyration in enumerate((2.0, 5.0)):
        alone = ContactLaw()
        alone.gyration.fill_(gyration)
        alone.reach.fill_(2.0)
        one = slice(shape, shape + 1)
        expected = alone(poses[:, one], outlines[:, one], centres[:, one], path)
        torch.testing.assert_close(moved[:, :, one], expected)
    assert float(moved[0, 0, 0, 2]) > 1.1 * float(moved[0, 0, 1, 2]) > 0


@pytest.mark.parametrize(("width", "height"), [(4.0, 4.0), (10.0, 3.0)])
def test_radius_of_gyration_of_a_rectangle(width: float, height: float) -> None:
    corners = torch.tensor(((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))) + 7.0
    assert float(radius_of_gyration(corners)) == pytest.approx(((width**2 + height**2) / 12) ** 0.5, rel=1e-4)
