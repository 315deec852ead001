"""Rigid layers learned from images and actions alone, against the physics that made them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from lingbot_ros.cli.main import BAD_INPUT, main
from lingbot_ros.datasets.plan import PlanOptions, make_plan
from lingbot_ros.datasets.reader import ClipSet
from lingbot_ros.datasets.writer import ClipSetWriter
from lingbot_ros.errors import InputError
from lingbot_ros.model.rigid_layers.capture import Capture
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.constants import Constants
from lingbot_ros.model.rigid_layers.drive import DriveLaw
from lingbot_ros.training.rigid_layers.drive_search import search_drive
from lingbot_ros.training.rigid_layers.own_clips import LearnedLayers, learn_from_clips
from test.support.pushed_shapes import (
    BOX_OUTLINE,
    METRES_PER_PX,
    RADIUS,
    SIZE,
    WALL,
    floor,
    to_action,
    write_pushed_shapes,
)

CONFIG = RigidLayersConfig(layers=3)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> ClipSet:
    return ClipSet(write_pushed_shapes(tmp_path_factory.mktemp("shapes"), episodes=11, steps=36))


@pytest.fixture(scope="module")
def learned(clips: ClipSet) -> LearnedLayers:
    return learn_from_clips(clips, CONFIG)


def test_layers_are_what_moves_together_and_the_first_obeys_the_actions(learned: LearnedLayers) -> None:
    constants = learned.constants
    assert learned.found["colours_of_each_layer"] == [1, 2, 1]  # the box has a stripe
    assert np.abs(constants.colours[constants.owners == 1].numpy() - (250, 250, 245)).max() < 3
    assert float(constants.radius) == pytest.approx(RADIUS, abs=0.1)
    assert constants.config.ramp_px == 1.0  # pixels are averages
    assert np.abs(np.moveaxis(constants.background.numpy(), 0, -1).astype(int) - floor()).mean() < 1.0


def test_actions_of_another_frame_and_unit_draw_the_disc(clips: ClipSet, learned: LearnedLayers) -> None:
    drive, low, high = learned.constants.drive, np.array(clips.low), np.array(clips.high)
    place = np.array([20.0, 45.0])
    edge_to_edge = (to_action(place) - low) / (high - low) * SIZE - 0.5
    here = torch.from_numpy(place).float()[None]
    after, velocity, way = drive(here, torch.zeros(1, 2), torch.from_numpy(edge_to_edge).float()[None])
    assert float((after - here).abs().max()) < 0.3 and float(velocity.abs().max()) < 0.3
    assert float((way - here[:, None]).abs().max()) < 0.3
    assert high.max() < METRES_PER_PX * SIZE  # the actions are not pixels


def test_actions_that_set_a_velocity_are_a_law_too() -> None:
    rng = np.random.default_rng(1)
    places, targets = [], []
    for _ in range(12):
        target = np.repeat(rng.uniform(-1, 1, (10, 2)), 4, axis=0)
        place, velocity, way = rng.uniform(20, 40, 2), np.zeros(2), []
        for k in range(41):
            way.append(place + rng.normal(0, 0.02, 2))
            for _ in range(50 if k < 40 else 0):  # the velocity that is asked for is there after a third of a frame
                velocity = velocity + (2.0 * target[k] - velocity) * 3 / 50
                place = place + velocity / 50
        places.append(np.array(way))
        targets.append(target)
    found = search_drive(places, targets)
    assert found.error_px < 0.1
    drive = DriveLaw(10, has_aim=True)
    drive.law.copy_(torch.from_numpy(found.law))
    drive.aim.copy_(torch.from_numpy(found.aim))
    drive.settle()
    position, velocity = torch.tensor([[30.0, 30.0]]), torch.zeros(1, 2)
    for _ in range(10):
        position, velocity, way = drive(position, velocity, torch.tensor([[1.0, -0.5]]))
    assert float((position - torch.tensor([[49.3, 20.3]])).abs().max()) < 0.6
    assert torch.isfinite(way).all() and float((way[:, -1] - position).abs().max()) < 1e-2


def test_the_law_of_contact_is_that_of_the_physics(learned: LearnedLayers) -> None:
    contact = learned.constants.contact
    sides = np.ptp(np.array(BOX_OUTLINE), axis=0)
    box = float(np.sqrt((sides**2).sum() / 12))
    assert float(contact.reach) == pytest.approx(RADIUS, abs=0.3)
    assert float(contact.gyration[0]) == pytest.approx(box, rel=0.1)
    walls = contact.walls.numpy()
    seen = np.abs(walls) < 500
    assert np.abs(walls - (WALL, WALL, SIZE - 1 - WALL, SIZE - 1 - WALL))[seen].max(initial=0) < 0.7


def test_only_this_scene_is_captured(clips: ClipSet, learned: LearnedLayers, tmp_path: Path) -> None:
    learned.constants.save(tmp_path / "weights.safetensors")
    constants = Constants(learned.constants.config, SIZE, SIZE).fill(load_file(tmp_path / "weights.safetensors"))
    capture, frame = Capture(constants), np.array(clips.frames(clips.plan.validation[0])[0])
    assert np.isfinite(capture.start(frame).bodies.poses.numpy()).all()
    with pytest.raises(InputError, match="another scene"):
        capture.start(np.roll(frame, 20, axis=1) // 2)


def test_what_the_clips_lack_is_said(clips: ClipSet) -> None:
    with pytest.raises(InputError, match="3 things were found to move.*at most as many"):
        learn_from_clips(clips, replace(CONFIG, layers=4))


def write_clips(
    root: Path, frames: list[NDArray[np.uint8]], actions: NDArray[np.float32], names: str = "xy"
) -> ClipSet:
    """A set whose episodes have these frames each."""
    plan = make_plan({"type": "test"}, 10.0, tuple(names), [len(actions)] * len(frames), PlanOptions(size=(32, 32)))
    writer = ClipSetWriter(root, plan)
    for episode in writer.missing():
        writer.write(episode, iter(frames[episode]), actions)
    writer.finish()
    return ClipSet(root)


def test_bad_clips_are_refused_by_what_is_wrong_with_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (30, 2)).astype(np.float32)
    still = np.full((31, 32, 32, 3), 90, np.uint8)
    drifting = np.stack([np.roll(rng.integers(0, 255, (32, 32, 3)), k, axis=1) for k in range(31)]).astype(np.uint8)
    aimless = still.copy()
    for k in range(31):
        for colour, size in ((200, 3), (10, 6)):
            x, y = rng.integers(0, 32 - size, 2)
            aimless[k, y : y + size, x : x + size] = colour
    two = RigidLayersConfig(layers=2)
    for number, (frames, told) in enumerate(
        ((still, "nothing moves"), (drifting, "camera must stand still"), (aimless, "one thing must move as they say"))
    ):
        with pytest.raises(InputError, match=told):
            learn_from_clips(write_clips(tmp_path / str(number), [frames] * 10, actions), two)
    with pytest.raises(InputError, match="training episodes.*at least 8"):
        learn_from_clips(write_clips(tmp_path / "few", [still] * 4, actions), two)
    with pytest.raises(InputError, match="components.*--components"):
        learn_from_clips(write_clips(tmp_path / "one", [still] * 10, actions[:, :1], "x"), two)


def test_what_own_clips_teach_is_not_configured(
    clips: ClipSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "layers.yaml"
    config.write_text("rigid_layers:\n  layers: 3\n  ramp_px: 0.5\n")
    assert (
        main(["train", "--config", str(config), "--data", str(clips.root), "--run", str(tmp_path / "r")]) == BAD_INPUT
    )
    assert "rigid_layers.ramp_px" in capsys.readouterr().err
