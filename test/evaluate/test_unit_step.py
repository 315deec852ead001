"""The unit step from a drive over a known distance, with a world that renders: what it shows is known exactly."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lingbot_ros.cli.main import main
from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.unit_step import Drive, fit_unit_step
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.world import World
from test.evaluate.pose_following.test_clips import CAMERA, HEIGHT, WIDTH, path, render
from test.support.tiny_camera import write_tiny_camera_model

TRUE_M = 0.12
DISTANCE_M = 0.96
INTRINSICS = (CAMERA[0, 0], CAMERA[1, 1], CAMERA[0, 2] + 0.5, CAMERA[1, 2] + 0.5)


class RenderingSession:
    """Its camera goes TRUE_M where it is sent one unit step."""

    def __init__(self, unit_step: float) -> None:
        self.lens, self.frame_index = Lens(INTRINSICS, unit_step), 0

    @property
    def frames_in_next_chunk(self) -> int:
        return 8 if self.frame_index else 5

    def step(self, poses: NDArray[np.float64]) -> NDArray[np.uint8]:
        shown = poses.copy()
        shown[:, :3, 3] *= TRUE_M / self.lens.unit_step
        self.frame_index += len(poses)
        return np.stack([render(pose) for pose in shown])

    def close(self) -> None:
        pass


class RenderingWorld:
    info = SimpleNamespace(
        name="boards", control=SimpleNamespace(kind="camera"), first_chunk_frames=5, frames_per_chunk=8, max_horizon=81
    )

    def fit_image(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return resize_image(image, HEIGHT, WIDTH)

    def start(self, image: NDArray[np.uint8], *, unit_step: float, **_: Any) -> RenderingSession:
        return RenderingSession(unit_step)


@pytest.fixture(scope="module")
def images() -> list[NDArray[np.uint8]]:
    return [render(pose) for pose in path(0.0, DISTANCE_M / 16, frames=17)]


def test_the_unit_step_is_found_within_five_percent(images: list[NDArray[np.uint8]]) -> None:
    world: Any = RenderingWorld()
    fit = fit_unit_step(world, Drive(images, DISTANCE_M, INTRINSICS), unit_step=0.2)
    assert fit.unit_step == pytest.approx(TRUE_M, rel=0.05)
    assert fit.before.ratio == pytest.approx(0.6, rel=0.05)
    assert fit.after.ratio == pytest.approx(1.0, rel=0.05)


def test_a_drive_that_the_model_cannot_imagine_is_refused(images: list[NDArray[np.uint8]]) -> None:
    world: Any = RenderingWorld()
    with pytest.raises(InputError, match=r"distance: got 20.0 m; give a part of the drive: boards .* at most 4.05 m"):
        fit_unit_step(world, Drive(images, 20.0, INTRINSICS), unit_step=0.2)
    for images_, distance_m in ((images[:1], 1.0), (images, 0.0), (images, float("nan"))):
        with pytest.raises(InputError, match="two or more images and a positive distance"):
            fit_unit_step(world, Drive(images_, distance_m, INTRINSICS), unit_step=0.2)


def test_the_command_prints_the_parameter(
    images: list[NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), image[:, :, ::-1])
    np.save(tmp_path / "camera.npy", np.array(INTRINSICS) / [WIDTH, HEIGHT, WIDTH, HEIGHT])
    monkeypatch.setattr(World, "load", lambda **_: RenderingWorld())
    command = ["calibrate", str(tmp_path), "--distance", str(DISTANCE_M), "--intrinsics", str(tmp_path / "camera.npy")]
    assert main([*command, "--model", "boards"]) == 0
    first, before, after = capsys.readouterr().out.splitlines()
    assert float(first.removeprefix("camera.unit_step: ")) == pytest.approx(TRUE_M, rel=0.05)
    assert before.startswith("before: 0.") and after.startswith("with it: ")


def test_what_cannot_calibrate_is_one_sentence(
    images: list[NDArray[np.uint8]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_camera_model(tmp_path / "models")  # of random weights: its film shows nothing
    cv2.imwrite(str(tmp_path / "0.png"), images[0])
    cv2.imwrite(str(tmp_path / "1.png"), images[16])
    for words, message in (
        (["--model", str(model)], "clip: got "),
        (["--model", "pusht-small"], "model: got pusht-small; give a model that is driven by camera poses"),
        ([], "--model: got nothing; name a camera model"),
    ):
        assert main(["calibrate", str(tmp_path), "--distance", "0.5", *words]) == 2
        assert message in capsys.readouterr().err
    assert main(["calibrate", str(tmp_path / "models"), "--distance", "0.5", "--model", str(model)]) == 2
    assert "give a folder of JPEG or PNG files, or a bag" in capsys.readouterr().err
