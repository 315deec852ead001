"""What the rigid layers are told of how things moved."""

import numpy as np

from lingbot_ros.tasks.pusht.image_reader import block_centroid, pusher_centre, read_shares
from lingbot_ros.tasks.pusht.simulator.simulator import PushTSimulator, PushTState, reset_frame
from lingbot_ros.tasks.pusht.training_data import PushTParts, thing_motions
from lingbot_ros.training.pool import to_float


def test_motions_are_those_of_the_image() -> None:
    """Block first, then pusher; pixels; a turn through zero is small."""
    simulator = PushTSimulator()
    block = np.array([[200, 180, 0.1], [215, 190, 2 * np.pi - 0.2]], np.float32)
    pusher = np.array([[100, 400], [130, 390]], np.float32)
    motions = thing_motions(block, pusher, 96)
    assert motions.shape == (1, 2, 3)
    shares = []
    for k in range(2):
        state = PushTState(pusher[k].astype(float), np.zeros(2), block[k].astype(float))
        simulator.set_state(state)
        shares.append(read_shares(simulator.render()))
    np.testing.assert_allclose(motions[0, 0, :2], block_centroid(shares[1]) - block_centroid(shares[0]), atol=0.3)
    np.testing.assert_allclose(motions[0, 1, :2], pusher_centre(shares[1]) - pusher_centre(shares[0]), atol=0.3)
    np.testing.assert_allclose(motions[0, :, 2], [-0.3, 0.0], atol=1e-6)


def empty_arena() -> np.ndarray:
    """What most frames show where nothing moves: the median of some."""
    return np.median([reset_frame(seed) for seed in range(15)], axis=0).astype(np.uint8)


def test_parts_are_what_the_reader_sees() -> None:
    """Before a background that is nothing but white, all over the image."""
    frame = reset_frame(3)
    rest, block, pusher = PushTParts(np.full_like(frame, 255))(to_float(frame[None, None])[:, :, 0])[0].numpy()
    seen = read_shares(frame)
    covered = np.maximum(1.0, seen.block + seen.pusher)
    np.testing.assert_allclose(block, seen.block / covered, atol=1e-4)
    np.testing.assert_allclose(pusher, seen.pusher / covered, atol=1e-4)
    np.testing.assert_allclose(rest + block + pusher, 1.0, atol=1e-5)


def test_walls_are_no_part_of_the_block() -> None:
    """Their grey could be white with a third of block. As such it drew the block's centre by pixels."""
    frame = reset_frame(3)
    assert read_shares(frame).block[1].mean() > 0.3
    _, block, _ = PushTParts(empty_arena())(to_float(frame[None, None])[:, :, 0])[0].numpy()
    border = np.ones_like(block, dtype=bool)
    border[3:-3, 3:-3] = False
    assert block[border].max() < 1e-6


def test_a_block_at_a_wall_is_seen() -> None:
    simulator = PushTSimulator()
    simulator.set_state(PushTState(np.array([256.0, 256.0]), np.zeros(2), np.array([256.0, 8.0, 0.0])))
    frame = simulator.render()
    seen = read_shares(frame).block[:3] > 0.9
    assert seen.any()
    _, block, _ = PushTParts(empty_arena())(to_float(frame[None, None])[:, :, 0])[0].numpy()
    assert block[:3][seen].min() > 0.8
