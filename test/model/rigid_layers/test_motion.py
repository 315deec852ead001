"""The two laws of motion: what follows from mechanics, and that rows do not know of one another."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lingbot_ros.model.rigid_layers import compiled
from lingbot_ros.model.rigid_layers.compiled import keeping
from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.drive import DriveLaw

SQUARE = torch.tensor(((-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)))
SUBSTEPS = 10
RECORDED = Path(__file__).parents[2] / "data" / "contact_law.npz"
"""Ts and Ls, half of them near walls, and where an implementation in NumPy, float32, had a disc push them in a frame.

Without one row in 320 in which its rounding decided a jam, by more than 0.0001 px.
"""


@pytest.fixture
def law() -> ContactLaw:
    law = ContactLaw()
    for name, value in (("reach", 2.0), ("gyration", 4.0), ("slop", 0.0), ("yielding", 0.0)):
        getattr(law, name).fill_(value)
    return law


def push(law: ContactLaw, pose: list[float], start: tuple[float, float], step: tuple[float, float]) -> torch.Tensor:
    times = torch.arange(-1.0, SUBSTEPS + 1)[:, None] / SUBSTEPS
    path = torch.tensor(start) + times * torch.tensor(step)
    return law(torch.tensor([[pose]]), SQUARE[None, None], torch.zeros(1, 1, 2), path[None, None, None])[0, 0, 0]


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
    poses, path = poses[:, None], path[:, None, None]
    together = law(poses, SQUARE.expand(64, 1, 4, 2), torch.zeros(64, 1, 2), path)
    for row in range(64):
        alone = law(poses[row : row + 1], SQUARE[None, None], torch.zeros(1, 1, 2), path[row : row + 1])
        assert torch.equal(alone[0], together[row]), row
    assert (together[:, 0] != poses).any(-1).sum() > 20


def test_the_law_is_the_one_that_was_recorded(law: ContactLaw) -> None:
    given = {name: torch.from_numpy(array) for name, array in np.load(RECORDED).items()}
    law.load_state_dict({name: given[name] for name in law.state_dict()})
    which = given["which"].int()
    outlines, centres = given["outlines"][which], given["centres"][which]
    ended = law(given["poses"][:, None], outlines[:, None], centres[:, None], given["paths"][:, None, None])[:, 0, 0]
    assert float((ended - given["ended"]).abs().max()) < 1e-4
    assert (ended != given["poses"]).any(1).sum() > 250


def test_frames_together_are_frames_one_by_one_and_discs_come_one_after_another(law: ContactLaw) -> None:
    law.walls.copy_(torch.tensor((-8.0, -8.0, 12.0, 12.0)))
    law.yielding.fill_(0.06)
    still = SQUARE.expand(1, 2, 4, 2), torch.zeros(1, 2, 2)
    times = torch.arange(4.0)[:, None] + torch.arange(-1.0, SUBSTEPS + 1) / SUBSTEPS
    steps = torch.tensor(((1.5, 0.3), (-1.0, 0.8)))  # of two discs, one to the left and one to the right of the first
    starts = torch.tensor(((-7.0, 1.0), (7.5, 0.0)))
    paths = (starts[:, None] + times[:, None, :, None] * steps[:, None])[None]
    poses = torch.tensor((((0.0, 0.0, 0.1), (2.0, 9.0, 0.4)),))
    together = law(poses, *still, paths)
    for frame in range(4):
        of_both = law(poses, *still, paths[:, frame : frame + 1])
        first = law(poses, *still, paths[:, frame : frame + 1, :1])[:, 0]
        second = law(first, *still, paths[:, frame : frame + 1, 1:])
        assert torch.equal(of_both[:, 0], together[:, frame]) and torch.allclose(second, of_both, atol=1e-5)
        poses = of_both[:, 0]
    assert (together[0, 0] != together[0, -1]).all()


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


def test_where_nothing_can_be_kept_it_is_compiled_anew_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The file of these functions does not exist, so that no folder belongs to it."""
    compiled._say_that_nothing_is_kept.cache_clear()
    module: dict[str, object] = {}
    exec(compile("def double(x):\n    return 2 * x\n", "/nowhere/double.py", "exec"), module)
    for _ in range(2):
        assert keeping("float64(float64)")(module["double"])(2.5) == 5.0
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "set NUMBA_CACHE_DIR to a folder that can be written" in caplog.text
