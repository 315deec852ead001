"""The two laws of motion: what follows from mechanics, and that rows do not know of one another."""

import numpy as np
import pytest
import torch

from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.drive import DriveLaw

SQUARE = torch.tensor(((-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)))
SUBSTEPS = 10


@pytest.fixture
def law() -> ContactLaw:
    law = ContactLaw()
    for name, value in (("reach", 2.0), ("gyration", 4.0), ("slop", 0.0), ("yielding", 0.0)):
        getattr(law, name).fill_(value)
    return law


def push(law: ContactLaw, pose: list[float], start: tuple[float, float], step: tuple[float, float]) -> torch.Tensor:
    times = torch.arange(-1.0, SUBSTEPS + 1)[:, None] / SUBSTEPS
    path = torch.tensor(start) + times * torch.tensor(step)
    return law(torch.tensor([pose]), SQUARE[None], torch.zeros(1, 2), path[None])[0]


def test_a_push_through_the_middle_carries_the_shape_along(law: ContactLaw) -> None:
    assert push(law, [0.0, 0.0, 0.0], (-7.0, 0.0), (3.0, 0.0)).tolist() == pytest.approx([3.0, 0.0, 0.0], abs=0.31)


def test_a_push_off_the_middle_turns_it_the_right_way(law: ContactLaw) -> None:
    moved = push(law, [0.0, 0.0, 0.0], (-6.99, 4.0), (1.0, 0.0))
    assert 0.3 < moved[0] < 0.8 and moved[2] < -0.05  # below the centre, to the right: anticlockwise on the image


def test_what_is_not_reached_stays_to_the_bit(law: ContactLaw) -> None:
    pose = [1.0, 2.0, 0.3]
    assert torch.equal(push(law, pose, (-20.0, 0.0), (3.0, 0.0)), torch.tensor(pose))


def test_a_wall_stops_a_shape_that_is_pushed_into_it(law: ContactLaw) -> None:
    law.walls.copy_(torch.tensor((-50.0, -50.0, 6.0, 50.0)))
    law.yielding.fill_(0.06)
    pose = [0.5, 0.0, 0.0]
    for _ in range(5):
        pose = push(law, pose, (pose[0] - 6.99, 0.0), (0.5, 0.0)).tolist()
    assert pose[0] < 1.3


def test_rows_move_as_they_would_alone(law: ContactLaw) -> None:
    law.walls.copy_(torch.tensor((-12.0, -12.0, 12.0, 12.0)))
    rng = np.random.default_rng(1)
    poses = torch.tensor(np.c_[rng.uniform(-6, 6, (64, 2)), rng.uniform(-3, 3, 64)], dtype=torch.float32)
    starts = poses[:, None, :2] + torch.tensor(rng.uniform(-9, 9, (64, 1, 2)), dtype=torch.float32)
    steps = torch.tensor(rng.uniform(-3, 3, (64, 1, 2)), dtype=torch.float32)
    path = starts + torch.arange(-1.0, SUBSTEPS + 1)[:, None] / SUBSTEPS * steps
    together = law(poses, SQUARE.expand(64, 4, 2), torch.zeros(64, 2), path)
    for row in range(64):
        alone = law(poses[row : row + 1], SQUARE[None], torch.zeros(1, 2), path[row : row + 1])
        assert torch.allclose(alone[0], together[row], atol=1e-5), row
    assert (together != poses).any(1).sum() > 20


def test_the_substeps_of_a_drive_lead_where_the_frame_does() -> None:
    drive = DriveLaw(SUBSTEPS)
    drive.law.copy_(torch.tensor(((0.7, 0.3, 0.3, 0.02), (-0.37, -0.0065, 0.37, 0.03))))
    drive.settle()
    known = torch.randn(3, 5, 2)
    after, _, way = drive(*known)
    assert torch.allclose(way[:, -1], after, atol=1e-5)
    assert ((way[:, 0] - known[0]).norm(dim=-1) < (after - known[0]).norm(dim=-1) + known[1].norm(dim=-1)).all()


def test_a_shape_that_went_through_a_wall_stays_where_it_is(law: ContactLaw) -> None:
    law.walls.copy_(torch.tensor((0.0, -100.0, 100.0, 100.0)))
    assert push(law, [-3.0, 0.0, 0.0], (60.0, 0.0), (3.0, 0.0)).tolist() == [-3.0, 0.0, 0.0]
