"""`lingbot train` for a scene model: it learns, resumes, and exports a folder that loads."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from lingbot_ros.cli.main import main
from lingbot_ros.errors import InputError
from lingbot_ros.model.scene.depth_network import DepthNetwork
from lingbot_ros.model.scene.depth_network import limited as limited_to
from lingbot_ros.tasks.data import open_scene_views
from lingbot_ros.tasks.rooms.dataset.reader import RoomsDataset
from lingbot_ros.training.scene.config import SceneTrainConfig
from lingbot_ros.training.scene.drive_views import DriveViews
from lingbot_ros.training.scene.loss import Predictor, depth_loss
from lingbot_ros.training.scene.measure import measure
from lingbot_ros.training.scene.photometric import photometric_loss, warp_error
from lingbot_ros.training.scene.train import DepthTrainer
from lingbot_ros.training.scene.views import mirrored, seen_from_other
from lingbot_ros.world import World
from test.support.box_room import write_box_rooms

CARD = Path(__file__).parents[2] / "models/rooms-small/card.yaml"


def test_a_depth_network_is_trained_resumed_and_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_box_rooms(tmp_path / "data", houses=3, frames=6)
    config = tmp_path / "train.yaml"
    scene = {"widths": [8, 8, 16], "keyframes": 4, "sources": 2}
    schedule = {"batch_clips": 2, "learning_rate": 3e-3, "warmup_iterations": 1, "ema": 0.9}
    config.write_text(yaml.safe_dump({"scene": scene, "schedule": schedule}))
    model = tmp_path / "model"
    model.mkdir()
    card = yaml.safe_load(CARD.read_text()) | {"height": 64, "width": 64, "name": "box", "seed_image": None}
    (model / "card.yaml").write_text(yaml.safe_dump(card | {"intrinsics": [55.4, 55.4, 32.0, 32.0]}))
    command = ["train", "--config", str(config), "--data", str(tmp_path / "data"), "--run", str(tmp_path / "run")]
    assert main([*command, "--iterations", "4", "--precision", "f32"]) == 0
    rest = ["--validation", str(tmp_path / "data"), "--export", str(model), "--precision", "f32"]
    assert main([*command, "--iterations", "8", *rest]) == 0
    assert "median error of depth" in capsys.readouterr().out
    world = World.load(model, threads=1)
    session = world.start(np.zeros((64, 64, 3), np.uint8))
    assert session.step(np.eye(4)[None]).shape == (1, 64, 64, 3)
    shutil.rmtree(tmp_path / "data" / "house_00002")
    with pytest.raises(InputError, match="missing"):
        open_scene_views(tmp_path / "data")


def test_in_a_mirror_the_same_surfaces_are_seen(tmp_path: Path) -> None:
    write_box_rooms(tmp_path / "data", houses=4, frames=8)
    views = open_scene_views(tmp_path / "data").draw(4, np.random.default_rng(1))
    seen = seen_from_other(views)
    assert 0.2 < float(seen.mean()) < 1
    differs = seen_from_other(mirrored(views)) != seen.flip(-1)
    assert float(differs.float().mean()) < 0.01  # pixels on an edge may round to the other side
    assert not torch.equal(mirrored(views).colour, views.colour)
    assert torch.equal(mirrored(mirrored(views)).to_other, views.to_other)


def test_images_match_best_under_the_true_depth(tmp_path: Path) -> None:
    write_box_rooms(tmp_path / "data", houses=4, frames=8)
    views = open_scene_views(tmp_path / "data").draw(8, np.random.default_rng(0))
    for side in (views, mirrored(views)):
        losses = [float(photometric_loss(scale / side.depth, side, 1.0)) for scale in (0.5, 0.85, 1.0, 1.2, 2.0)]
        assert min(losses) == losses[2]
        assert float(warp_error(1 / side.depth, side).mean()) < float(warp_error(0 / side.depth, side).mean()) / 3


def test_what_is_out_of_range_learns_to_come_back() -> None:
    x = torch.tensor([-1.0, 0.5, 3.0], requires_grad=True)
    limited = limited_to(x, 0.0, 2.0)
    assert limited.tolist() == [0.0, 0.5, 2.0]
    limited.backward(torch.tensor([-1.0, -1.0, -1.0]))
    assert x.grad is not None and x.grad.tolist() == [-1.0, -1.0, 0.0]


def test_depth_is_learned_from_images_and_poses_alone(tmp_path: Path) -> None:
    write_box_rooms(tmp_path / "data", houses=4, frames=12)
    data = RoomsDataset(tmp_path / "data")
    path = tmp_path / "train.yaml"
    path.write_text(
        "scene: {widths: [16, 16, 32], keyframes: 4}\n"
        "schedule: {batch_clips: 4, learning_rate: 0.003, warmup_iterations: 5, ema: 0.9}"
    )
    config = SceneTrainConfig.load(path)
    assert config is not None
    trainer = DepthTrainer(config, tmp_path / "run", bf16=False)
    with_truth = DriveViews(data, range(4))
    trainer.train(DriveViews(data, range(4), with_depth=False), 80, None)
    quality = trainer.measure(with_truth, batches=1)
    assert quality.frames is not None and quality.frames < 0.25
    assert quality.warped_db is not None and quality.turned_db is not None
    assert quality.warped_db > quality.turned_db + 3


def test_depth_is_used_on_the_drives_that_have_it(tmp_path: Path) -> None:
    write_box_rooms(tmp_path / "data", houses=2, frames=8)
    (tmp_path / "data" / "house_00001" / "depth.npy").unlink()
    views = DriveViews(RoomsDataset(tmp_path / "data"), range(2)).draw(16, np.random.default_rng(0))
    assert 0 < int(views.measured.sum()) < 16
    network = DepthNetwork((8, 8, 16))
    rng = np.random.default_rng(0)
    torch.autograd.backward(depth_loss(Predictor(network, bf16=False), views, 0.5, 0.0, rng))
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in network.parameters())
    quality = measure(Predictor(network, bf16=False), DriveViews(RoomsDataset(tmp_path / "data"), [1]), 1)
    assert quality.frames is None and quality.holes is None and quality.warped_db is not None


def test_training_halves_the_error_of_depth(tmp_path: Path) -> None:
    write_box_rooms(tmp_path / "data", houses=4, frames=8)
    source = open_scene_views(tmp_path / "data")
    views = source.draw(4, np.random.default_rng(0))
    assert 0.3 < float(seen_from_other(views).mean()) <= 1
    path = tmp_path / "train.yaml"
    path.write_text(
        "scene: {widths: [16, 16, 32], keyframes: 4}\nschedule: {batch_clips: 4, learning_rate: 0.003, ema: 0.9}"
    )
    config = SceneTrainConfig.load(path)
    assert config is not None
    trainer = DepthTrainer(config, tmp_path / "run", bf16=False)
    before = trainer.measure(source, batches=1)
    trainer.train(source, 40, None)
    after = trainer.measure(source, batches=1)
    assert after.frames < before.frames / 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("schedule: {batch_clips: 0}", "schedule.batch_clips: got 0; give 1 to"),
        ("schedule: {learning_rate: -1.0}", "schedule.learning_rate: got -1.0; give 0 to"),
        ("schedule: {ema: 2.0}", "schedule.ema: got 2.0; give 0 to 1"),
        ("holes: 3.0", "holes: got 3.0; give 0 to 1"),
        ("seed: -1", "seed: got -1; give 0 to"),
    ],
)
def test_numbers_that_no_training_can_have_are_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(f"scene: {{widths: [16, 16, 32], keyframes: 4}}\n{line}\n")
    with pytest.raises(InputError, match=message):
        SceneTrainConfig.load(path)
