"""A light decoder in the place of the video autoencoder's: same world, other frames, its state in every copy."""

from pathlib import Path

import numpy as np
import pytest

from lingbot_ros.errors import InputError, ModelError, SnapshotError
from lingbot_ros.world import World
from test.support.tiny_camera import write_tiny_camera_model
from test.support.tiny_light_decoder import write_light_decoder
from test.support.tiny_model import write_tiny_model


def test_sessions_decode_with_it(tmp_path: Path) -> None:
    model, light = write_tiny_camera_model(tmp_path), write_light_decoder(tmp_path)
    full, fast = World.load(model), World.load(model, light_decoder=light)
    image, still = np.full((32, 48, 3), 90, np.uint8), np.tile(np.eye(4), (8, 1, 1))
    sessions = [world.start(image, prompt="snow", seed=3) for world in (full, fast)]
    first = [session.step(still[:5]) for session in sessions]
    assert first[0].shape == first[1].shape and not np.array_equal(first[0], first[1])
    snapshot, fork = sessions[1].snapshot(), sessions[1].fork()
    expected = sessions[1].step(still)
    assert np.array_equal(fork.step(still), expected)
    assert np.array_equal(World.load(model, light_decoder=light).restore(snapshot).step(still), expected)
    sessions[0].step(still)
    keys = [session._branches[0].cache.keys[-1] for session in sessions]
    assert (keys[0] == keys[1]).all(), "what is imagined is the same"
    for other in (full, World.load(model, light_decoder=write_light_decoder(tmp_path, "taew2_1_b.pth", seed=1))):
        with pytest.raises(SnapshotError, match="weights"):
            other.restore(snapshot)


def test_a_session_takes_what_its_world_says(tmp_path: Path) -> None:
    """The decoder's state included, which is the larger part of it for a video autoencoder."""
    model, light = write_tiny_camera_model(tmp_path), write_light_decoder(tmp_path)
    sizes = []
    for world in (World.load(model), World.load(model, light_decoder=light)):
        session = world.start(np.full((32, 48, 3), 90, np.uint8), seed=3)
        session.step(np.tile(np.eye(4), (5, 1, 1)))
        session.step(np.tile(np.eye(4), (8, 1, 1)))
        held = (*session._branches[0].tensors.values(), *session._decoding.state().values())
        sizes.append(sum(tensor.numel() * tensor.element_size() for tensor in held))
        assert sizes[-1] == world.info.session_bytes
    assert sizes[1] < sizes[0]


def test_it_is_refused_where_it_cannot_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="light_decoder.*leave it out"):
        World.load(write_tiny_model(tmp_path), light_decoder=write_light_decoder(tmp_path))
    with pytest.raises(ModelError, match="light decoder.*does not exist"):
        World.load(write_tiny_camera_model(tmp_path), light_decoder=tmp_path / "absent.pth")
