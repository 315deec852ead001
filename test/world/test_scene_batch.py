"""Rows of rooms in one forward: the contract of `Batch` for a world that a camera drives."""

import numpy as np
import pytest

from lingbot_ros.control.keys import parse_key_script, script_poses
from lingbot_ros.errors import InputError
from lingbot_ros.world import Batch, World

pytestmark = pytest.mark.model
ROWS = 8


def test_rows_agree_with_sessions_alone_in_one_forward_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.load("rooms-small", threads=1)
    batch, image = Batch(world, ROWS), world.seed_image()
    lens = np.array([110.851, 110.851, 64.0, 64.0])
    for row in range(ROWS):
        shown = batch.start(row, image, intrinsics=lens if row else 1.1 * lens)
        assert np.array_equal(shown, image)
    alone = [world.start(image, intrinsics=1.1 * lens), world.start(image), world.start(image)]
    batch.session(2).prompt = alone[2].prompt = "the lights go out"
    turns = [script_poses(parse_key_script(keys)) for keys in ("l-10", "j-10", "wl-10", *["l-10"] * (ROWS - 3))]
    sizes = []
    forward = world.model.depth.forward
    monkeypatch.setattr(world.model.depth, "forward", lambda x: sizes.append(len(x)) or forward(x))
    for step in range(10):
        frames = batch.step(np.stack([turn[step] for turn in turns])[:, None])
        assert frames.shape == (ROWS, 1, 128, 128, 3)
        assert np.array_equal(frames[3], frames[7])  # same past, same poses: to the bit
        together = list(sizes)
        for row, session in enumerate(alone):
            mine = session.step(turns[row][step][None])
            assert np.abs(mine.astype(int) - frames[row]).mean() < 0.5
        sizes = sizes[: len(together)]
    assert max(sizes) >= ROWS - 3  # the rows that turn alike are painted at once
    assert list(batch.frame_index) == [10] * ROWS
    batch.select([0] * ROWS)
    frames = batch.step(np.stack([turns[0][9]] * ROWS)[:, None])
    assert all(np.array_equal(frames[0], frame) for frame in frames)


def test_a_row_that_is_given_no_pose_ends_alone() -> None:
    world = World.load("rooms-small", threads=1)
    batch = Batch(world, 2)
    for row in range(2):
        batch.start(row, world.seed_image())
    with pytest.raises(InputError, match="controls"):
        batch.step(np.zeros((2, 1, 7)))
    poses = np.stack([np.eye(4), np.full((4, 4), np.nan)])[:, None]
    frames = batch.step(poses)
    assert frames[0].any() and not frames[1].any() and list(batch.ended) == [1]
