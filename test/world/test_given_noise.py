"""Sampling noise from a file, and films cut off to whole grey levels, as the released code has both."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lingbot_ros.errors import InputError
from lingbot_ros.model.noise import chunk_noise
from lingbot_ros.model.unipc import UniPCConfig
from lingbot_ros.model.wan_autoencoder import WanAutoencoder
from lingbot_ros.world import World
from test.support.tiny_camera import FOUR_STEPS, HEIGHT, WIDTH_PX, write_tiny_camera_model
from test.support.tiny_model import write_tiny_model

PATH = np.tile(np.eye(4), (13, 1, 1))
SHAPE = (16, 2, HEIGHT // 8, WIDTH_PX // 8)
IMAGE = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH_PX, 3), np.uint8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_camera_model(tmp_path_factory.mktemp("models"), "few", FOUR_STEPS)


def save(folder: Path, noise: NDArray[np.generic]) -> Path:
    np.save(folder / "noise.npy", noise)
    return folder / "noise.npy"


def noise_of(seed: int, chunks: int, draws: int) -> NDArray[np.float32]:
    """What a session of this seed draws."""
    rows = [[chunk_noise(seed, chunk, draw, SHAPE).numpy() for draw in range(draws)] for chunk in range(chunks)]
    return np.array(rows, np.float32)


def film(world: World, seed: int) -> NDArray[np.uint8]:
    session = world.start(IMAGE, prompt="snow", seed=seed)
    return np.concatenate([session.step(PATH[:5]), session.step(PATH[5:13])])


def test_noise_from_a_file_takes_the_place_of_the_seed(model: Path, tmp_path: Path) -> None:
    given = World.load(model, threads=1, noise=save(tmp_path, noise_of(7, 2, 4)))
    by_seed = World.load(model, threads=1)
    assert np.array_equal(film(given, seed=0), film(by_seed, seed=7))
    assert not np.array_equal(film(by_seed, seed=0), film(by_seed, seed=7))


def test_a_solver_of_many_steps_draws_once(tmp_path: Path) -> None:
    model = write_tiny_camera_model(tmp_path, "many", UniPCConfig(2, 5.0, guidance=1.0))
    given = World.load(model, threads=1, noise=save(tmp_path, noise_of(7, 2, 1)))
    assert np.array_equal(film(given, seed=0), film(World.load(model, threads=1), seed=7))


def test_a_session_ends_where_the_noise_does_and_stays_whole(model: Path, tmp_path: Path) -> None:
    session = World.load(model, threads=1, noise=save(tmp_path, noise_of(7, 1, 4))).start(IMAGE)
    session.step(PATH[:5])
    with pytest.raises(InputError, match="noise: got chunk 1; the noise is for 1 chunks"):
        session.step(PATH[5:13])
    assert session.frame_index == 5


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.zeros((1, 3, *SHAPE), np.float32), r"shape \[1, 3, 16, 2, 4, 6\]; give .*\[chunks, 4, 16, 2, 4, 6\]"),
        (np.zeros((1, 4, 16, 3, 4, 6), np.float32), "shape"),
        (np.zeros((1, 4, *SHAPE), np.int64), "floats"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    model: Path, tmp_path: Path, noise: NDArray[np.generic], message: str
) -> None:
    with pytest.raises(InputError, match=f"^noise: got .*{message}"):
        World.load(model, threads=1, noise=save(tmp_path, noise))


def test_no_file_and_no_use_of_one_are_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="^noise: got .*there is no such file"):
        World.load(model, noise=tmp_path / "none.npy")
    with pytest.raises(InputError, match="does not sample from noise"):
        World.load(write_tiny_model(tmp_path), noise=tmp_path / "none.npy")


def test_frames_are_cut_off_as_in_released_films(model: Path) -> None:
    """The released code writes `(x + 1) / 2 * 255` as uint8 without rounding."""
    autoencoder = World.load(model, threads=1).model.autoencoder
    assert isinstance(autoencoder, WanAutoencoder)
    latents = torch.randn(1, 16, 2, 4, 6, generator=torch.manual_seed(0))
    pixels, _ = autoencoder.decode_pixels(latents, autoencoder.start())
    frames, _ = autoencoder.decode(latents, autoencoder.start())
    exact = (pixels[0].clamp(-1, 1).double() + 1) / 2 * 255
    cut = exact.permute(1, 2, 3, 0).numpy() - frames
    assert cut.min() > -1e-4
    assert 0.9 < cut.max() < 1
